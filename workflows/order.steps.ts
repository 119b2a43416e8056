import type { Duration } from '@temporalio/common';
import { isCancellation, proxyLocalActivities, type ActivityOptions } from '@temporalio/workflow';
import type { CommandActivities } from '../activities/command.activities';
import type { Inline } from '../activities/order-changes';
import type { PlacingActivities } from '../activities/placing.activities';
import type { OrderRequest } from '../src/domain/order';
import { isPlacedAnswer, isSummary, type PlacedAnswer } from '../src/domain/order-summary';
import { localFirst, type LocalFirstOptions, type Stages } from './local-first';

type OrderActivities = PlacingActivities & CommandActivities;

/** Steps that an outage delays but never fails: there is no schedule-to-close time-out and no limit of attempts. */
function stages(maximumInterval: Duration): Stages {
  return {
    local: {
      startToCloseTimeout: '4s',
      scheduleToCloseTimeout: '5s',
      // The SDK would end a second attempt by the timer of the first: https://github.com/temporalio/sdk-rust/issues/1454
      retry: { maximumAttempts: 1 },
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    },
    unlimited: regular({ initialInterval: '500ms', backoffCoefficient: 2, maximumInterval }),
  };
}

function regular(retry: ActivityOptions['retry']): ActivityOptions {
  return {
    startToCloseTimeout: '12s', // above the driver's own time-outs, and the time of a payment within the step
    retry,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
}

const few = (maximumAttempts: number) => regular({ maximumAttempts, initialInterval: '1s' });

type OnStuck = (step: string, failure: string) => void;

export type OrderSteps = ReturnType<typeof createOrderSteps>;

/**
 * @param onBegin called with what a step does when it begins
 * @param onCompensationStuck called when a step that releases what is reserved keeps failing
 * @param onDelayed called when any other step keeps failing
 */
export function createOrderSteps({
  onBegin,
  onCompensationStuck,
  onDelayed,
}: {
  onBegin: (summary: string) => void;
  onCompensationStuck: OnStuck;
  onDelayed: OnStuck;
}) {
  const options: LocalFirstOptions = { isResult: isSummary, onBegin, onStuck: onDelayed };
  type Quick = Pick<
    OrderActivities,
    | 'loadOrder'
    | 'recordPayment'
    | 'deliverFulfillment'
    | 'correctFulfillment'
    | 'markOverdue'
    | 'recordCompensation'
    | 'archiveOrder'
    | 'checkPayment'
    | 'giveUpPayment'
  >;
  const quick = localFirst<Quick>(
    {
      loadOrder: 'Fetch the order',
      recordPayment: 'Save what the payment service has answered',
      deliverFulfillment: 'Save that the fulfillment was delivered',
      correctFulfillment: 'Save the carrier and the tracking number',
      markOverdue: 'Save that the rest of the order is overdue',
      recordCompensation: 'Save the state of a compensation',
      archiveOrder: 'Take the order out of the lists',
      checkPayment: 'Bring the order in line with what the payment service knows of its payment',
      giveUpPayment: 'Save that the order was not paid in time',
    },
    { ...stages('10s'), few: few(2) },
    options,
  );
  const opening = localFirst<Pick<OrderActivities, 'openOrder'>>(
    {
      openOrder:
        'Fetch the product details, compute the totals, reserve the stock and save the order, all or nothing',
    },
    { ...stages('10s'), few: few(2) },
    { isResult: isPlacedAnswer, onBegin, onStuck: onDelayed },
  );
  const resuming = localFirst<Pick<OrderActivities, 'resumeOrder'>>(
    { resumeOrder: 'Fetch the order, and what was interrupted' },
    stages('10s'),
    { isResult: (value) => value === null || isSummary(value), onBegin },
  );

  /**
   * Steps that oblige the workflow to something, so they are regular activities at once: an update is durable only with
   * the workflow task that accepts it, and a local activity runs within that task. If Temporal died at that moment, the
   * order would be changed in MongoDB, and nothing would tell its workflow.
   */
  const obliging = localFirst<
    Pick<
      OrderActivities,
      'amendOrder' | 'fulfillOrder' | 'undoFulfillment' | 'refundOrder' | 'payOrder' | 'resolveCompensation'
    >
  >(
    {
      amendOrder:
        'Price the new lines, authorise their payment, move the difference in stock, all or nothing',
      fulfillOrder: 'Capture the payment, take the stock and save the fulfillment',
      undoFulfillment: 'Open what was shipped again, or replace what was lost',
      refundOrder: 'Refund, and save the refund',
      payOrder: 'Authorise the payment with another card',
      resolveCompensation: 'Save that an operator has settled a compensation',
    },
    { ...stages('10s'), local: undefined, few: few(4) },
    options,
  );
  const light = localFirst<Pick<OrderActivities, 'amendOrder' | 'fulfillOrder'>>(
    {
      amendOrder: 'Save the new note or address',
      fulfillOrder: 'Take the stock and save the fulfillment, all or nothing',
    },
    { ...stages('10s'), few: few(2) },
    options,
  );
  const cancelling = localFirst<Pick<OrderActivities, 'cancelOrder'>>(
    { cancelOrder: 'Release the stock and cancel what is open of the order' },
    { ...stages('60s'), local: undefined, few: few(4) },
    { ...options, onStuck: onCompensationStuck },
  );
  const { placeOrder } = proxyLocalActivities<Pick<OrderActivities, 'placeOrder'>>({
    startToCloseTimeout: '6s',
    scheduleToCloseTimeout: '15s',
    retry: { maximumAttempts: 1 },
  });

  return {
    ...quick,
    ...opening,
    ...resuming,
    ...obliging,
    ...cancelling,
    /** Saves what needs no payment. */
    light,

    /** Places the order in one go. Returns null if that fails: the other steps are then taken one by one. */
    async placeOrder(request: OrderRequest, inline: Inline): Promise<PlacedAnswer | null> {
      const summary =
        'Fetch the product details, compute the totals, reserve the stock, pay, and save the order';
      onBegin(summary);
      try {
        return await placeOrder.executeWithOptions({ summary }, [request, inline]);
      } catch (error) {
        if (isCancellation(error)) throw error;
        return null;
      }
    },
  };
}
