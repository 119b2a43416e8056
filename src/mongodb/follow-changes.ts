import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import type { Logger } from 'pino';

const RETRY_MS = 500;
/** How long the server lets a look for changes wait; well below the time-out of the socket. */
export const CHANGES_MAX_AWAIT_MS = 500;

export interface FollowOptions<T extends mongo.Document> {
  /** What is followed, for the log. */
  name: string;
  /** There is nothing to follow before. */
  connected: Promise<void>;
  open(): mongo.ChangeStream<T>;
  /**
   * Takes in what is there. Called before and after the stream is opened, and again after every interruption.
   * @param isFollowed whether what changes from now on comes by itself
   */
  load(isFollowed: boolean): Promise<void>;
  apply(change: mongo.ChangeStreamDocument<T>): void;
}

export interface Follower {
  /** Resolves when all there is was loaded for the first time. */
  ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps a picture of a collection in memory, within milliseconds of every change. While MongoDB is away the picture
 * stays as it was; what was missed is loaded when it is back.
 */
export function followChanges<T extends mongo.Document>(options: FollowOptions<T>, logger: Logger): Follower {
  const closing = new AbortController();
  let markReady!: () => void;
  const ready = new Promise<void>((resolve) => (markReady = resolve));
  let stream: mongo.ChangeStream<T> | undefined;
  let isFailing = false;

  async function follow(): Promise<void> {
    await options.load(false);
    markReady();
    if (closing.signal.aborted) return; // nobody would close it
    stream = options.open();
    // The first look opens the stream at the server: what came before it is loaded, what comes after it is not missed.
    const first = await stream.tryNext();
    await options.load(true);
    if (first) options.apply(first);
    isFailing = false;
    for await (const change of stream) options.apply(change);
  }

  async function followUntilClosed(): Promise<void> {
    await Promise.race([options.connected, once(closing.signal, 'abort')]);
    while (!closing.signal.aborted) {
      try {
        await follow();
      } catch (err) {
        if (closing.signal.aborted) break;
        if (!isFailing)
          logger.warn({ err, following: options.name }, 'changes cannot be followed; trying again');
        isFailing = true;
      }
      await stream?.close().catch(() => undefined);
      await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const ended = followUntilClosed();
  return {
    ready,
    async close() {
      closing.abort();
      await stream?.close().catch(() => undefined);
      await ended;
    },
  };
}
