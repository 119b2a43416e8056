import type { Duration } from '@temporalio/common';
import type { ActivityOptions } from '@temporalio/workflow';
import type { OrderActivities } from '../activities/orders.activities';
import type { PricingActivities } from '../activities/pricing.activities';
import { localFirst, type Attempts } from './local-first';

/**
 * An outage delays an order, it never rejects one: no schedule-to-close time-out, attempts without limit. What is not
 * tried again says so itself, see `businessAnswers`.
 */
function attempts(maximumInterval: Duration): Attempts {
  return {
    local: {
      startToCloseTimeout: '4s',
      scheduleToCloseTimeout: '5s',
      retry: { maximumAttempts: 2, initialInterval: '100ms' },
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    },
    regular: regular({ initialInterval: '500ms', backoffCoefficient: 2, maximumInterval }),
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
    recordCompensation: 'Save what became of a compensation',
    archiveOrder: 'Take the order out of the lists',
    loadOrder: 'Fetch the order',
  },
  attempts('10s'),
);

/**
 * Writes that close an order for good, when an update asks for them. An update is durable only with the workflow task
 * that accepts it, and a local activity runs within that task: were Temporal to die just then, the order would be
 * closed in MongoDB and open in its workflow, and nothing more would come to tell.
 * @param ofCancellation told from the fifth attempt on
 * @param ofDelivery told from the third
 */
export function closingSteps({
  ofCancellation,
  ofDelivery,
}: {
  ofCancellation: OnStuck;
  ofDelivery: OnStuck;
}): ClosingSteps {
  const { regular: unlimited } = attempts('60s');
  return {
    ...localFirst<Pick<ClosingSteps, 'cancelOrder'>>(
      { cancelOrder: CANCEL },
      { few: few(4), regular: unlimited },
      ofCancellation,
    ),
    ...localFirst<Pick<ClosingSteps, 'deliverFulfillment'>>(
      { deliverFulfillment: 'Save that all is delivered, and complete the order' },
      { few: few(2), regular: unlimited },
      ofDelivery,
    ),
  };
}

/** @param onStuck told from the fifth attempt on */
export function undoSteps(onStuck: OnStuck): Undo {
  return localFirst<Undo>(
    {
      rejectOrder: 'Release the stock and save why the order was rejected',
      cancelOrder: CANCEL,
    },
    { ...attempts('60s'), few: few(2) },
    onStuck,
  );
}
