import { reservationOf } from './amendment';
import type { Order, OrderPayment, OrderRequest, OrderState, Pricing } from './order';
import { changeOrder, pricedOrder } from './order-transitions';

/** The first version of an order: pending, its stock to be reserved with it. */
export function openedOrder(request: OrderRequest, pricing: Pricing): Order {
  return { ...pricedOrder(request, pricing), reservation: reservationOf(pricing), version: 1 };
}

/** The order that is placed, its payment authorised. */
export function confirmedOrder(order: Order, payment: OrderPayment, at: string): Order {
  const to: Partial<OrderState> = { paymentStatus: 'authorized', status: 'confirmed' };
  return changeOrder({ ...order, payment }, to, { at, by: 'system', reason: null });
}
