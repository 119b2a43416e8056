import { erasedOrder, isErased, obstacleOf } from '../src/domain/erasing';
import type { Order } from '../src/domain/order';
import type { OrderWriter } from './order-writer';

export type OrderEraser = (order: Order) => Promise<boolean>;

export interface OrderEraserDeps {
  writer: Pick<OrderWriter, 'change'>;
  /** Erases what is kept of an order beside it. */
  eraseTraces(orderId: string): Promise<void>;
}

export function createOrderEraser({ writer, eraseTraces }: OrderEraserDeps): OrderEraser {
  /** Erases what an order has of its customer, unless something stands in the way. Returns whether anything was left. */
  return async function eraseOrder(order) {
    await eraseTraces(order.id);
    if (isErased(order)) return false;
    await writer.change(order.id, (stored, at) =>
      isErased(stored) || obstacleOf(stored) ? stored : erasedOrder(stored, at),
    );
    return true;
  };
}
