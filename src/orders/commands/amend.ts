import type { AmendOrder } from '../../domain/amendment';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const AMEND = { type: COMMANDS.amend, kind: 'amd' };

export function createAmend({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<AmendOrder>): Promise<Order> =>
    run(id, caller, AMEND, content);
}
