import type { CorrectFulfillment } from '../../domain/fulfillment';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const CORRECT = { type: COMMANDS.correctFulfillment, kind: 'cor' };

export function createCorrectFulfillment({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<CorrectFulfillment>): Promise<Order> =>
    run(id, caller, CORRECT, content);
}
