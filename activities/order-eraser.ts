import { erasedOrder, isErased, obstacleOf } from '../src/domain/erasing';
import type { Order } from '../src/domain/order';
import type { OrderWriter } from './order-writer';

/** What became of an order: something stands in the way of one that waits. */
export type Erasure = 'erased' | 'erased before' | 'waits';

export type OrderEraser = (order: Order) => Promise<Erasure>;

export interface OrderEraserDeps {
  writer: Pick<OrderWriter, 'change'>;
  /** Erases what is kept of an order beside it. */
  eraseTraces(orderId: string): Promise<void>;
}

export function createOrderEraser({ writer, eraseTraces }: OrderEraserDeps): OrderEraser {
  /** Erases what an order has of its customer, unless something stands in the way, also if that has just come up. */
  return async function eraseOrder(order) {
    if (obstacleOf(order)) return 'waits';
    await eraseTraces(order.id);
    if (isErased(order)) return 'erased before';
    const stored = await writer.change(order.id, (found, at) =>
      isErased(found) || obstacleOf(found) ? found : erasedOrder(found, at),
    );
    return !stored || isErased(stored) ? 'erased' : 'waits';
  };
}
