import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { formatAmount } from '../src/domain/money';
import type { OrderSummary } from '../src/domain/order-summary';
import { INITIAL_STATE } from '../src/domain/order-transitions';
import { SEARCH_ATTRIBUTES } from './contract';

/** Shows an order in the Temporal UI, by its current details and search attributes. */
export function createOrderDisplay() {
  let shown: Shown = { status: INITIAL_STATE.status, currency: null, total: null };
  let isPending = false;
  let isOverdue = false;
  /** How long the parts of placing the order took, in milliseconds. */
  let took: Record<string, number> = {};

  function showPending(pending: boolean): void {
    if (pending === isPending) return;
    isPending = pending;
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.compensationPending, value: pending }]);
  }

  function showOverdue(overdue: boolean): void {
    if (overdue === isOverdue) return;
    isOverdue = overdue;
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.overdue, value: overdue }]);
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

    /** Keeps how long the parts of placing the order took, in milliseconds. */
    keepTimes(times: Record<string, number>): void {
      took = times;
    },

    /** Shows the state of the order. */
    show(order: OrderSummary): void {
      const { status, currency, total } = order;
      // An order that is being placed is shown as the client has started it.
      const isNews = status !== shown.status || total !== shown.total || currency !== shown.currency;
      if (isNews && status !== INITIAL_STATE.status) {
        shown = { status, currency, total };
        upsertSearchAttributes([
          { key: SEARCH_ATTRIBUTES.orderStatus, value: status },
          { key: SEARCH_ATTRIBUTES.currency, value: currency },
          { key: SEARCH_ATTRIBUTES.orderTotal, value: total },
        ]);
      }
      showPending(order.owed.some(({ state }) => state === 'pending'));
      showOverdue(order.isOverdue ?? false);
      setCurrentDetails(describe(order, took));
    },
  };
}

function keepsFailing(step: string, failure: string): string {
  return `\`${step}\` keeps failing (${failure}) and is being retried.`;
}

type Shown = Pick<OrderSummary, 'status' | 'currency' | 'total'>;

function describe(order: OrderSummary, took: Record<string, number>): string {
  const { status, paymentStatus, fulfillmentStatus, rejection, captured, refunded, currency } = order;
  const why = rejection ? `: ${rejection.code} (${rejection.detail})` : '';
  const taken = captured > 0 ? `, ${formatAmount(captured - refunded, currency!)} taken` : '';
  const pending = order.owed
    .filter(({ state }) => state === 'pending')
    .map(({ step, failure }) => `- **compensation_pending**: \`${step}\` keeps failing (${failure})`);
  const axes = `Payment ${paymentStatus}${taken}, fulfillment ${fulfillmentStatus}.`;
  const times = Object.entries(took).map(([part, ms]) => `\`${part}\` ${ms} ms`);
  const placing = times.length > 0 ? [`Placed in one step: ${times.join(', ')}.`] : [];
  const overdue = order.isOverdue ? ['**Overdue**: the rest of the order waits for its fulfillment.'] : [];
  const { awaits } = order;
  const doing = awaits?.what === 'action' ? 'to confirm the payment at the bank' : 'to try another card';
  const waiting = awaits ? [`**Waits for the customer** ${doing}, until ${awaits.until}.`] : [];
  const parts = [
    `Order ${order.number} is **${status}**${why}.`,
    axes.replaceAll('_', ' '),
    ...placing,
    ...overdue,
    ...waiting,
    ...pending,
  ];
  return parts.join('\n\n');
}
