import { unsettled } from './compensation';
import type { Order } from './order';
import { customerWaitOf, isBeingPlaced } from './paying';

/**
 * What a stuck order needs: to be asked to `look` at its payment again, or its workflow to be `resumed` if that does not
 * run, since it is under way if it does.
 */
export type Need = 'look' | 'resume';

/**
 * Returns what an order needs that nobody has moved since before that time (ISO 8601), or null if it is not stuck. It is for its
 * workflow to say what becomes of it.
 */
export function needOf(order: Order, before: string): Need | null {
  const { intention } = order;
  if (intention) return intention.since <= before ? 'look' : null;
  const wait = customerWaitOf(order);
  if (wait && wait.until <= before) return 'look';
  const isWaiting = wait !== null || isBeingPlaced(order);
  if (isWaiting && order.updatedAt <= before) return 'resume';
  return unsettled(order).some((owed) => owed.since <= before) ? 'resume' : null;
}
