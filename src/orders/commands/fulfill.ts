import type { FulfillOrder } from '../../domain/fulfillment';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const FULFILL = { type: COMMANDS.fulfill, kind: 'ful' };

export function createFulfill({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<FulfillOrder>): Promise<Order> =>
    run(id, caller, FULFILL, content);
}
