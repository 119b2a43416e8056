import { setMaxListeners } from 'node:events';
import type { TemporalClient } from '../../src/temporal/client';

/**
 * Replaces the deadlines of a client's calls to Temporal until Jest restores it: every call waits until the
 * test aborts it, however fast the machine is. For the product, this is the same as a deadline that passes.
 */
export function replaceDeadlines({ client }: TemporalClient): AbortController {
  const patience = new AbortController();
  setMaxListeners(0, patience.signal); // any number of calls wait at a time
  jest
    .spyOn(client, 'withDeadline')
    .mockImplementation((_deadline, call) => client.withAbortSignal(patience.signal, call));
  return patience;
}
