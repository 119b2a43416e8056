import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { CartActivities, CartsReport } from '../activities/carts.activities';
import { showWork, unlessLonger, UPKEEP } from './work.display';
import { AUTO_UPGRADE } from './versions';

const { sweepCarts } = proxyActivities<CartActivities>({
  startToCloseTimeout: '30m',
  heartbeatTimeout: '60s',
  retry: { initialInterval: '5s', maximumInterval: '60s' },
});

/** Releases what carts have held too long, and finds those that were abandoned: a Schedule starts it, one run at a time. */
export async function cartsWorkflow(): Promise<CartsReport> {
  showWork(
    'Releases what carts have held too long, and marks abandoned ones',
    unlessLonger('half an hour', UPKEEP),
  );
  return sweepCarts.executeWithOptions({ summary: 'Release expired holds and mark abandoned carts' }, []);
}

// A single step: one that waited for workers that are gone would keep its Schedule from starting another.
setWorkflowOptions({ versioningBehavior: AUTO_UPGRADE }, cartsWorkflow);
