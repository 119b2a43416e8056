import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import type { Logger } from 'pino';

const RETRY_MS = 500;
/** How long the server waits for changes, in milliseconds: well below the socket's time-out. */
export const CHANGES_MAX_AWAIT_MS = 500;

export interface FollowOptions<T extends mongo.Document> {
  /** A name for the log. */
  name: string;
  /** Resolves with the first connection to MongoDB. */
  connected: Promise<void>;
  open(): mongo.ChangeStream<T>;
  /**
   * Loads the current state: before and after the stream is opened, and after every interruption.
   * @param isFollowed whether the stream is open, so that later changes will be applied
   */
  load(isFollowed: boolean): Promise<void>;
  apply(change: mongo.ChangeStreamDocument<T>): void;
}

export type Follower = ReturnType<typeof followChanges>;

/**
 * Keeps a copy of a collection in memory, milliseconds behind every change. During an outage of MongoDB the
 * copy stays as it was, and after it the missed changes are loaded.
 */
export function followChanges<T extends mongo.Document>(options: FollowOptions<T>, logger: Logger) {
  const closing = new AbortController();
  let markReady!: () => void;
  const ready = new Promise<void>((resolve) => (markReady = resolve));
  let markFollowed!: () => void;
  const followed = new Promise<void>((resolve) => (markFollowed = resolve));
  let stream: mongo.ChangeStream<T> | undefined;
  let isFailing = false;

  async function follow(): Promise<void> {
    await options.load(false);
    markReady();
    if (closing.signal.aborted) return; // a stream opened now would never be closed
    stream = options.open();
    // This opens the stream on the server: earlier changes are loaded next, later ones come through it.
    const first = await stream.tryNext();
    await options.load(true);
    if (first) options.apply(first);
    markFollowed();
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
        if (!isFailing) logger.warn({ err, following: options.name }, 'cannot follow changes; retrying');
        isFailing = true;
      }
      await stream?.close().catch(() => undefined);
      await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const ended = followUntilClosed();
  return {
    /** Resolves when the state has been loaded for the first time. */
    ready,
    /** Resolves when the state has been loaded again, since the stream is open and no later change is missed. */
    followed,

    async close(): Promise<void> {
      closing.abort();
      await stream?.close().catch(() => undefined);
      await ended;
    },
  };
}

/** Returns several followers as one, which is ready when all are. */
export function together(followers: readonly Follower[]): Follower {
  const all = async (promiseOf: (follower: Follower) => Promise<void>) =>
    void (await Promise.all(followers.map(promiseOf)));
  return {
    ready: all(({ ready }) => ready),
    followed: all(({ followed }) => followed),
    close: () => all(({ close }) => close()),
  };
}
