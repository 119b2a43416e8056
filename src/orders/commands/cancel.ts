import type { CancelOrder } from '../../domain/closing';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const CANCEL = { type: COMMANDS.cancel, kind: 'can' };

export function createCancel({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<CancelOrder>): Promise<Order> =>
    run(id, caller, CANCEL, content);
}
