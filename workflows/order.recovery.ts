import { owedVoid, withOwed } from '../src/domain/compensation';
import type { Order } from '../src/domain/order';
import { interruptedPayment } from '../src/domain/order-payment';
import { now, type OrderEntity } from './order.entity';
import { steps } from './order.steps';

/**
 * Takes over an order that an earlier run has placed, and that Temporal has forgotten or an operator has
 * terminated or reset. Adopting it starts its outstanding compensations. The earlier run may have been in the
 * middle of an amendment: its payment is not on the order yet, so it is voided by its key.
 */
export async function recoverOrder(entity: OrderEntity, stored: Order): Promise<Order> {
  if (!interruptedPayment(stored)) return stored;
  entity.adopt(stored);
  await entity.untilCommitted(async () => {
    const order = entity.current();
    const payment = interruptedPayment(order);
    if (!payment) return;
    await entity.commit(withOwed(order, owedVoid(payment, now()), now()), steps.recordCompensation);
  });
  return entity.current();
}
