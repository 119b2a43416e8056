import type { Logger } from 'pino';
import { countIn, type Windows } from '../common/windows';
import { isMessage, type Counted, type CountRequest } from './messages';

const TIMEOUT_MS = 250;

/** What it needs of `process`. */
export interface Channel {
  send?(
    message: CountRequest,
    handle: undefined,
    options: object,
    sent: (error: Error | null) => void,
  ): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** The windows of the rate limit that the primary holds for all its API processes, asked for through IPC. */
export function createPrimaryWindows(channel: Channel, logger: Logger, timeoutMs = TIMEOUT_MS): Windows {
  const waiting = new Map<number, (counted: [used: number, msLeft: number]) => void>();
  let lastId = 0;
  channel.on('message', (message) => {
    if (isMessage<Counted>(message, 'counted')) waiting.get(message.id)?.([message.used, message.msLeft]);
  });

  function countRequest(key: string, windowMs: number): Promise<[used: number, msLeft: number]> {
    const id = ++lastId;
    let timer: NodeJS.Timeout;
    return new Promise<[number, number]>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      waiting.set(id, resolve);
      channel.send!({ type: 'count', id, key, windowMs }, undefined, {}, (error) => {
        if (error) reject(error);
      });
    }).finally(() => {
      clearTimeout(timer);
      waiting.delete(id);
    });
  }

  return countIn({ countRequest }, logger, 'The primary process');
}
