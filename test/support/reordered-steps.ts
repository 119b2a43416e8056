/** The steps of the order workflow in the wrong order: the order is opened before it is placed in one step. */
import { createOrderSteps as inOrder } from '../../workflows/order.steps';

export * from '../../workflows/order.steps';

export function createOrderSteps(...args: Parameters<typeof inOrder>): ReturnType<typeof inOrder> {
  return { ...inOrder(...args), placeOrder: () => Promise.resolve(null) };
}
