import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { countIn, type Windows } from '../rate-limit/store';
import { isMessage, type Count, type Counted, type CountRequests } from './messages';

const TIMEOUT_MS = 250;

/** What it needs of `process`. */
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
 * The windows of the rate limit that the primary holds for all its API processes, asked for through IPC: in one message
 * for all requests of one turn of the event loop, since a message costs as much as a good part of a request.
 */
export function createPrimaryWindows(channel: Channel, logger: Logger, timeoutMs = TIMEOUT_MS): Windows {
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
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
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

  async function countRequest(key: string, windowMs: number): Promise<[used: number, msLeft: number]> {
    batch ??= beginBatch();
    const { requests, counts } = batch;
    const at = requests.push({ key, windowMs }) - 1;
    const { used, msLeft } = (await counts)[at]!;
    return [used, msLeft];
  }

  return countIn({ countRequest }, logger, 'The primary process');
}
