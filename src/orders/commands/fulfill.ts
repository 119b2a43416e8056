import type { FulfillOrder } from '../../domain/fulfillment';
import { COMMANDS } from '../../../workflows/contract';
import { fulfillCommand, type Caller, type Content } from '../order-request';
import type { Addition, CommandRunner } from './run';

/** The key is the Idempotency-Key; without one, every request makes another fulfillment. */
export function createFulfill({ add }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<FulfillOrder>, key?: string): Promise<Addition> =>
    add(id, caller, COMMANDS.fulfill, (order) => fulfillCommand(order, caller, content, key), key);
}
