import type { Logger } from 'pino';
import { CHANGES_MAX_AWAIT_MS, followChanges, type Follower } from '../mongodb/follow-changes';
import type { MongoDb } from '../mongodb/mongodb';
import type { EventRepository } from './events.repository';

/** How many requests of one user may wait for events at a time, in one process. */
export const MAX_WAITING = 5;
/** How long the stream stays open when nobody watches: most who do come again at once. */
const LINGER_MS = 30_000;

/** Someone who waits for events. */
export interface Watcher {
  /** Waits until there may be a new event that they have not looked for, at most that long, in milliseconds. */
  next(ms: number, signal: AbortSignal): Promise<void>;
  /** Has to be called when they wait for none any more. */
  end(): void;
}

export interface EventWatchDeps extends Pick<MongoDb, 'connected'> {
  feed: Pick<EventRepository, 'watch'>;
  logger: Logger;
  /** Aborts when the process is about to stop. */
  draining: AbortSignal;
}

export type EventWatch = ReturnType<typeof createEventWatch>;

/** Tells who waits for events when to look for them: with one change stream, however many wait, and none while nobody does. */
export function createEventWatch({ feed, connected, logger, draining }: EventWatchDeps) {
  /** What each is woken by, with the id of what they want to hear of; null for everything. */
  const watchers = new Map<() => void, string | null>();
  let follower: Follower | undefined;
  let lingering: NodeJS.Timeout | undefined;

  function wake(object: string | null): void {
    for (const [wakeOne, wanted] of watchers)
      if (object === null || wanted === null || wanted === object) wakeOne();
  }

  function open(): Follower {
    return followChanges(
      {
        name: 'events',
        connected,
        open: () => feed.watch(CHANGES_MAX_AWAIT_MS),
        // Whatever came before the stream was open, those who wait find it now.
        load: async () => wake(null),
        apply: (change) => wake('fullDocument' in change ? (change.fullDocument?.object ?? null) : null),
      },
      logger,
    );
  }

  async function close(): Promise<void> {
    clearTimeout(lingering);
    const closing = follower;
    follower = undefined;
    await closing?.close();
  }

  draining.addEventListener('abort', () => {
    if (watchers.size === 0) void close();
  });
  return {
    /** @param object the id of what they want to hear of; null for everything */
    watch(object: string | null): Watcher {
      let isWoken = false;
      let wakeUp: (() => void) | undefined;
      const wakeOne = () => {
        isWoken = true;
        wakeUp?.();
      };
      watchers.set(wakeOne, object);
      clearTimeout(lingering);
      follower ??= open();
      return {
        async next(ms, signal) {
          if (!isWoken && !signal.aborted) {
            await new Promise<void>((resolve) => {
              const timer = setTimeout(() => wakeUp!(), ms);
              wakeUp = () => {
                clearTimeout(timer);
                signal.removeEventListener('abort', wakeUp!);
                resolve();
              };
              signal.addEventListener('abort', wakeUp);
            });
          }
          isWoken = false;
        },
        end() {
          watchers.delete(wakeOne);
          if (watchers.size > 0) return;
          clearTimeout(lingering);
          if (draining.aborted) void close();
          else lingering = setTimeout(() => void close(), LINGER_MS).unref();
        },
      };
    },

    /** Whether the stream is open. */
    isOpen: () => follower !== undefined,
  };
}
