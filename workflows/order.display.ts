import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { pendingCompensations } from '../src/domain/compensation';
import { formatAmount } from '../src/domain/money';
import type { Order } from '../src/domain/order';
import { INITIAL_STATE } from '../src/domain/order-transitions';
import { SEARCH_ATTRIBUTES } from './contract';

/** Shows an order in the Temporal UI, by its current details and search attributes. */
export function createOrderDisplay() {
  let shown: Shown = { status: INITIAL_STATE.status, currency: null, total: null };
  let isPending = false;

  function showPending(pending: boolean): void {
    if (pending === isPending) return;
    isPending = pending;
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.compensationPending, value: pending }]);
  }

  return {
    /** Shows what the workflow is doing. */
    say: (details: string) => setCurrentDetails(details),

    /** Shows a compensation on our own database that keeps failing, which the order itself cannot tell. */
    showStuck(step: string, failure: string): void {
      showPending(true);
      setCurrentDetails(`**compensation_pending**: ${keepsFailing(step, failure)}`);
    },

    /** Shows any other write that keeps failing. */
    showDelayed(step: string, failure: string): void {
      setCurrentDetails(keepsFailing(step, failure));
    },

    /** Shows the state of the order. */
    show(order: Order): void {
      const { status, currency, total } = order;
      if (status !== shown.status || total !== shown.total || currency !== shown.currency) {
        shown = { status, currency, total };
        upsertSearchAttributes([
          { key: SEARCH_ATTRIBUTES.orderStatus, value: status },
          { key: SEARCH_ATTRIBUTES.currency, value: currency },
          { key: SEARCH_ATTRIBUTES.orderTotal, value: total },
        ]);
      }
      showPending(pendingCompensations(order).length > 0);
      setCurrentDetails(describe(order));
    },
  };
}

function keepsFailing(step: string, failure: string): string {
  return `\`${step}\` keeps failing (${failure}) and is being retried.`;
}

type Shown = Pick<Order, 'status' | 'currency' | 'total'>;

function describe(order: Order): string {
  const { status, paymentStatus, fulfillmentStatus, rejection, captured, refunded, currency } = order;
  const why = rejection ? `: ${rejection.code} (${rejection.detail})` : '';
  const taken = captured > 0 ? `, ${formatAmount(captured - refunded, currency!)} taken` : '';
  const pending = pendingCompensations(order).map(
    ({ step, failure }) => `- **compensation_pending**: \`${step}\` keeps failing (${failure})`,
  );
  const axes = `Payment ${paymentStatus}${taken}, fulfillment ${fulfillmentStatus}.`;
  return [`The order is **${status}**${why}.`, axes.replaceAll('_', ' '), ...pending].join('\n\n');
}
