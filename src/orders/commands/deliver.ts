import type { DeliverFulfillment } from '../../domain/fulfillment';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const DELIVER = { type: COMMANDS.deliver, kind: 'dlv' };

export function createDeliver({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<DeliverFulfillment>): Promise<Order> =>
    run(id, caller, DELIVER, content);
}
