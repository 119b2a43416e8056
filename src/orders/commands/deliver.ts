import type { DeliverFulfillment } from '../../domain/fulfillment';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller, type Content } from '../order-request';
import { late, type CommandRunner } from './run';

export function createDeliver({ get, send }: CommandRunner) {
  return async (id: string, caller: Caller, content: Content<DeliverFulfillment>): Promise<Order> => {
    const order = await get(id, caller.principal);
    const command = { ...content, ...commandBy(caller, order) };
    const answer = await send(order, COMMANDS.deliver, command);
    if (answer !== 'late') return answer;
    const now = await get(id, caller.principal);
    if (!isDelivered(order, command) && isDelivered(now, command)) return now; // too late for our answer
    throw late(id);
  };
}

function isDelivered({ fulfillments }: Order, { fulfillmentId }: Content<DeliverFulfillment>): boolean {
  return fulfillments.some(({ id, deliveredAt }) => id === fulfillmentId && deliveredAt !== null);
}
