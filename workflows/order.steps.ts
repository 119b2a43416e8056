import type { Duration } from '@temporalio/common';
import type { OrderActivities } from '../activities/orders.activities';
import type { PricingActivities } from '../activities/pricing.activities';
import { localFirst } from './local-first';
import type { Attempts } from './local-first';

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
    regular: {
      startToCloseTimeout: '10s', // above the driver's own time-outs
      retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval },
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    },
  };
}

type Steps = PricingActivities & Pick<OrderActivities, 'openOrder' | 'confirmOrder'>;

export const steps = localFirst<Steps>(
  {
    priceOrder: 'Fetch the product details, compute the totals',
    openOrder: 'Reserve the stock and save the order as pending, all or nothing',
    confirmOrder: 'Confirm the order',
  },
  attempts('10s'),
);

export const undo = localFirst<Pick<OrderActivities, 'rejectOrder' | 'cancelOrder'>>(
  {
    rejectOrder: 'Release the stock and save why the order was rejected',
    cancelOrder: 'Release the stock and cancel the order',
  },
  attempts('60s'),
);
