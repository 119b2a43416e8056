/** The steps of the order workflow in the wrong order: the order is opened before it is priced. */
import { steps as inOrder } from '../../workflows/order.steps';

export * from '../../workflows/order.steps';
export const steps = { ...inOrder, priceOrder: inOrder.openOrder, openOrder: inOrder.priceOrder };
