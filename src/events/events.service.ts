import { AppError } from '../errors/app-error';
import type { EventDocument } from './events.model';
import type { EventFilter, EventRepository } from './events.repository';
import { MAX_WAITING, type EventWatch } from './event-watch';

/** How many events a stream reads at a time. */
const STREAM_PAGE = 50;

/** What to read; from the oldest event that is kept if it does not say after which. */
export type FeedFilter = Omit<EventFilter, 'after'> & { after?: number };

/** A part of the feed. */
export interface FeedPage {
  events: EventDocument[];
  /** From where to read on. */
  position: number;
  /** That of the last event that there is. */
  latest: number;
}

/** Who waits for events, and until when. */
export interface Waiting {
  /** The id of the user or API key. */
  callerId: string;
  /** Aborts when they are gone. */
  signal: AbortSignal;
}

export interface EventServiceDeps {
  feed: Pick<EventRepository, 'page' | 'history'>;
  watch: Pick<EventWatch, 'watch'>;
  /** Aborts when the process is about to stop. */
  draining: AbortSignal;
}

export type EventService = ReturnType<typeof createEventService>;

export function createEventService({ feed, watch, draining }: EventServiceDeps) {
  /** How many requests of each user wait. */
  const waiting = new Map<string, number>();

  /** @throws {AppError} rate_limited */
  function enter(callerId: string): () => void {
    const count = waiting.get(callerId) ?? 0;
    if (count >= MAX_WAITING) throw tooManyWaiting();
    waiting.set(callerId, count + 1);
    return () => {
      const left = waiting.get(callerId)! - 1;
      if (left === 0) waiting.delete(callerId);
      else waiting.set(callerId, left);
    };
  }

  /** @throws {AppError} position_gone */
  async function read(filter: FeedFilter, limit: number): Promise<FeedPage> {
    const { after } = filter;
    const { events, latest, beginning } = await feed.page({ ...filter, after: after ?? 0 }, limit);
    const begun = after ?? beginning;
    if (begun < beginning || begun > latest) throw positionGone(begun, beginning, latest);
    const last = events.at(-1)?.position;
    const position = events.length === limit ? last! : Math.max(latest, last ?? 0);
    return { events, position, latest: Math.max(latest, last ?? 0) };
  }

  return {
    read,
    history: feed.history,

    /**
     * Reads the feed, and waits for the next event if it has none.
     * @param ms how long at most, in milliseconds
     * @throws {AppError} position_gone, rate_limited
     */
    async readOrWait(
      filter: FeedFilter,
      limit: number,
      ms: number,
      { callerId, signal }: Waiting,
    ): Promise<FeedPage> {
      const leave = enter(callerId);
      const deadline = Date.now() + ms;
      const { over, release } = either(signal, draining);
      const watcher = watch.watch(null);
      try {
        let after = filter.after;
        for (;;) {
          const page = await read({ ...filter, after }, limit);
          const left = deadline - Date.now();
          if (page.events.length > 0 || left <= 0 || over.aborted) return page;
          after = page.position;
          await watcher.next(left, over);
        }
      } finally {
        release();
        watcher.end();
        leave();
      }
    },

    /**
     * Yields the events of an object as they come, and an empty list now and then, until the caller is gone.
     * @param afterVersion that of the last event that they know
     * @param pauseMs returns how long it waits at most, in milliseconds
     * @throws {AppError} rate_limited, before it begins
     */
    stream(
      object: string,
      afterVersion: number,
      { callerId, signal }: Waiting,
      pauseMs: () => number,
    ): AsyncGenerator<EventDocument[], void> {
      const leave = enter(callerId);
      const { over, release } = either(signal, draining);
      const watcher = watch.watch(object);
      const end = () => {
        release();
        watcher.end();
        leave();
      };
      // Also if they are gone before it has begun.
      over.addEventListener('abort', end, { once: true });
      return (async function* () {
        let version = afterVersion;
        while (!over.aborted) {
          const events = await feed.history(object, version, STREAM_PAGE);
          version = events.at(-1)?.version ?? version;
          yield events;
          if (events.length < STREAM_PAGE && !over.aborted) await watcher.next(pauseMs(), over);
        }
      })();
    },
  };
}

/** Aborts when one of them does; unlike `AbortSignal.any`, the one that lives long does not keep what has been released. */
function either(one: AbortSignal, other: AbortSignal): { over: AbortSignal; release(): void } {
  const both = new AbortController();
  const abort = () => both.abort();
  const signals = [one, other];
  if (signals.some(({ aborted }) => aborted)) abort();
  for (const signal of signals) signal.addEventListener('abort', abort);
  return {
    over: both.signal,
    release: () => signals.forEach((signal) => signal.removeEventListener('abort', abort)),
  };
}

function positionGone(after: number, beginning: number, latest: number): AppError {
  const kept = `The feed has the events after position ${beginning}, up to ${latest}`;
  return new AppError(
    'position_gone',
    after < beginning
      ? `${kept}: those after ${after} are not kept any more. List what you follow anew, then read the feed from ${latest}.`
      : `${kept}, so ${after} was another feed's. List what you follow anew, then read the feed from ${latest}.`,
  );
}

function tooManyWaiting(): AppError {
  return new AppError(
    'rate_limited',
    `${MAX_WAITING} requests of yours wait for events already, the most that one user can have: end one of them first.`,
    { headers: { 'Retry-After': '5' } },
  );
}
