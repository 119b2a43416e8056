import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller } from '../order-request';
import { late, type CommandRunner } from './run';

/** An order that is archived already stays as it is. */
export function createArchive({ get, send }: CommandRunner) {
  return async (id: string, caller: Caller): Promise<void> => {
    const order = await get(id, caller.principal);
    if (order.archivedAt) return;
    const answer = await send(order, COMMANDS.archive, commandBy(caller, order));
    if (answer === 'late' && !(await get(id, caller.principal)).archivedAt) throw late(id);
  };
}
