import { requireMatch } from '../../domain/command';
import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller } from '../order-request';
import { orProblem, type CommandRunner } from './run';

/** An order that is archived already stays as it is. */
export function createArchive({ get, perform }: CommandRunner) {
  return async (id: string, caller: Caller): Promise<void> => {
    const order = await get(id, caller.principal);
    const command = commandBy(caller, order, 'arc', {});
    if (order.archivedAt && caller.idempotencyKey === undefined) {
      return orProblem(order, () => requireMatch(order, command));
    }
    await perform(order, COMMANDS.archive, command, caller);
  };
}
