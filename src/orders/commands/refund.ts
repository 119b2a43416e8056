import type { RefundOrder } from '../../domain/refund';
import { COMMANDS } from '../../../workflows/contract';
import { refundCommand, type Caller, type Content } from '../order-request';
import type { Addition, CommandRunner } from './run';

export function createRefund({ add }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<RefundOrder>, key: string): Promise<Addition> =>
    add(id, caller, COMMANDS.refund, (order) => refundCommand(order, caller, content, key), key);
}
