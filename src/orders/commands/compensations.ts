import {
  requireUnsettled,
  type ResolveCompensation,
  type RetryCompensation,
} from '../../domain/compensation';
import type { Order } from '../../domain/order';
import { COMMANDS } from '../../../workflows/contract';
import { commandBy, type Caller, type Content } from '../order-request';
import { orProblem, unless, type CommandRunner } from './run';

export function createRetryCompensation({ get, perform }: CommandRunner) {
  return async (id: string, caller: Caller, content: Content<RetryCompensation>): Promise<Order> => {
    const order = await get(id, caller.principal);
    const command = commandBy(caller, order, 'try', content);
    orProblem(order, () => requireUnsettled(order, command));
    // The compensation may complete before the retry arrives, especially if it has just restarted the
    // workflow.
    const answer = await perform(order, COMMANDS.retryCompensation, command).catch(unless('not_found'));
    return answer ?? get(id, caller.principal);
  };
}

const RESOLVE = { type: COMMANDS.resolveCompensation, kind: 'set' };

export function createResolveCompensation({ run }: CommandRunner) {
  return (id: string, caller: Caller, content: Content<ResolveCompensation>): Promise<Order> =>
    run(id, caller, RESOLVE, content);
}
