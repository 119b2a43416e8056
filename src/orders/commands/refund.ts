import type { Order } from '../../domain/order';
import type { RefundOrder } from '../../domain/refund';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const REFUND = { type: COMMANDS.refund, kind: 'ref' };

export function createRefund({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<RefundOrder>): Promise<Order> =>
    run(id, caller, REFUND, content);
}
