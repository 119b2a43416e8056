import type { UndoFulfillment } from '../../domain/undoing';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import type { Caller, Content } from '../order-request';
import type { CommandRunner } from './run';

const UNDO = { type: COMMANDS.undoFulfillment, kind: 'und' };

export function createUndoFulfillment({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<UndoFulfillment>): Promise<Order> =>
    run(id, caller, UNDO, content);
}
