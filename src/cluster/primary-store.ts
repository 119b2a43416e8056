import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { countIn, failOpen, type Count, type Store } from '../rate-limit/store';
import { isMessage, type Counted, type CountRequests } from './messages';

const TIMEOUT_MS = 250;

/** The part of `process` that connects an API process to its primary. */
export interface Channel {
  send?(
    message: CountRequests,
    handle: undefined,
    options: object,
    sent: (error: Error | null) => void,
  ): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

interface Batch {
  requests: CountRequests['requests'];
  counts: Promise<Count[]>;
}

/**
 * Counts the requests of all API processes in their primary, through IPC. All requests of one turn of the
 * event loop go in one message, since a message costs a good part of what a request does.
 */
export function createPrimaryStore(channel: Channel, logger: Logger, timeoutMs = TIMEOUT_MS): Store {
  const waiting = new Map<number, (counts: Count[]) => void>();
  let lastId = 0;
  let batch: Batch | undefined;
  channel.on('message', (message) => {
    if (isMessage<Counted>(message, 'counted')) waiting.get(message.id)?.(message.counts);
  });

  function ask(requests: Batch['requests']): Promise<Count[]> {
    const id = ++lastId;
    let timer: NodeJS.Timeout;
    return new Promise<Count[]>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no reply within ${timeoutMs} ms`)), timeoutMs);
      waiting.set(id, resolve);
      channel.send!({ type: 'count', id, requests }, undefined, {}, (error) => {
        if (error) reject(error);
      });
    }).finally(() => {
      clearTimeout(timer);
      waiting.delete(id);
    });
  }

  function beginBatch(): Batch {
    const requests: Batch['requests'] = [];
    const counts = nextTurn().then(() => {
      batch = undefined;
      return ask(requests);
    });
    return { requests, counts };
  }

  async function count(key: string, windowMs: number): Promise<Count> {
    batch ??= beginBatch();
    const { requests, counts } = batch;
    const at = requests.push({ key, windowMs }) - 1;
    return (await counts)[at]!;
  }

  return countIn(failOpen({ count }, logger, 'The primary process'));
}
