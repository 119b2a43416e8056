import type { Duration } from '@temporalio/common';
import type { ActivityOptions } from '@temporalio/workflow';
import type { OrderActivities } from '../activities/orders.activities';
import type { PricingActivities } from '../activities/pricing.activities';
import { localFirst, type Stages } from './local-first';

/**
 * An outage delays an order but never rejects it, so there is no schedule-to-close time-out and no limit of
 * attempts. Errors that are not retried are marked by the activity, see `businessFailures`.
 */
function stages(maximumInterval: Duration): Stages {
  return {
    local: {
      startToCloseTimeout: '4s',
      scheduleToCloseTimeout: '5s',
      retry: { maximumAttempts: 2, initialInterval: '100ms' },
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    },
    unlimited: regular({ initialInterval: '500ms', backoffCoefficient: 2, maximumInterval }),
  };
}

function regular(retry: ActivityOptions['retry']): ActivityOptions {
  return {
    startToCloseTimeout: '10s', // above the driver's own time-outs
    retry,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
}

type OnStuck = (step: string, failure: string) => void;

const CANCEL = 'Release the stock and cancel the order';
const few = (maximumAttempts: number) => regular({ maximumAttempts, initialInterval: '1s' });

type ClosingSteps = Pick<OrderActivities, 'cancelOrder' | 'deliverFulfillment'>;
type Undo = Pick<OrderActivities, 'rejectOrder' | 'cancelOrder'>;
type Steps = PricingActivities & Omit<OrderActivities, keyof Undo>;

export const steps = localFirst<Steps>(
  {
    priceOrder: 'Fetch the product details, compute the totals',
    openOrder: 'Reserve the stock and save the order as pending, all or nothing',
    confirmOrder: 'Confirm the order',
    amendOrder: 'Move the stock by the difference and save the new lines, all or nothing',
    fulfillOrder: 'Take the stock and save the fulfillment, all or nothing',
    deliverFulfillment: 'Save that the fulfillment was delivered',
    recordRefund: 'Save the refund',
    recordCompensation: 'Save the state of a compensation',
    archiveOrder: 'Take the order out of the lists',
    loadOrder: 'Fetch the order',
  },
  stages('10s'),
);

/**
 * Returns the writes with which an update closes an order. They are regular activities at once: an update is
 * durable only with the workflow task that accepts it, and a local activity runs within that task. If
 * Temporal died at that moment, the order would be closed in MongoDB and open in its workflow, and no command
 * would come to tell it.
 * @param onCancellationStuck called when four attempts have failed
 * @param onDeliveryStuck called when two attempts have failed
 */
export function closingSteps({
  onCancellationStuck,
  onDeliveryStuck,
}: {
  onCancellationStuck: OnStuck;
  onDeliveryStuck: OnStuck;
}): ClosingSteps {
  const { unlimited } = stages('60s');
  return {
    ...localFirst<Pick<ClosingSteps, 'cancelOrder'>>(
      { cancelOrder: CANCEL },
      { few: few(4), unlimited },
      onCancellationStuck,
    ),
    ...localFirst<Pick<ClosingSteps, 'deliverFulfillment'>>(
      { deliverFulfillment: 'Save that all is delivered, and complete the order' },
      { few: few(2), unlimited },
      onDeliveryStuck,
    ),
  };
}

/** @param onStuck called when two local and two regular attempts have failed */
export function undoSteps(onStuck: OnStuck): Undo {
  return localFirst<Undo>(
    {
      rejectOrder: 'Release the stock and reject the order',
      cancelOrder: CANCEL,
    },
    { ...stages('60s'), few: few(2) },
    onStuck,
  );
}
