import { isPassing } from './problem.js';
import { pause } from './retries.js';

interface Page<Entry> {
  data: Entry[];
  meta: { page: { nextCursor: string | null } };
}

interface FeedPart<Event> {
  data: Event[];
  meta: { feed: { position: number; latest: number } };
}

/**
 * Iterates over all entries of a list, a page at a time.
 * @param read reads a page: `(cursor) => client.listOrders({ query: { status: ['confirmed'], cursor } })`
 */
export async function* allOf<Entry>(
  read: (cursor: string | undefined) => Promise<Page<Entry>>,
): AsyncGenerator<Entry, void, undefined> {
  let cursor: string | undefined;
  do {
    const { data, meta } = await read(cursor);
    yield* data;
    cursor = meta.page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export interface FeedOptions {
  /** The last position that you have stored; without it, from the oldest event that is kept. */
  after?: number;
  /** Ends the feed, which has no end of its own. */
  signal?: AbortSignal;
  /** How long to wait after a failure that passes before it is tried again, in milliseconds. 5 s by default. */
  outageMs?: number;
}

/** How long to wait for more if the API has not. */
const IDLE_MS = 1_000;
/** How long to wait for an API that is away. */
const OUTAGE_MS = 5_000;

/**
 * Iterates over what happens, without an end and without a gap: while the API is away, it waits. Store `position` when you have handled its events, and
 * begin with it the next time: then none is missed, and those that were not handled come again.
 * @param read reads a part: `(after) => client.listEvents({ query: { after }, headers: { Prefer: 'wait=20' } })`
 */
export async function* follow<Event>(
  read: (after: number | undefined) => Promise<FeedPart<Event>>,
  { after, signal, outageMs = OUTAGE_MS }: FeedOptions = {},
): AsyncGenerator<{ events: Event[]; position: number }, void, undefined> {
  let position = after;
  while (!signal?.aborted) {
    const since = Date.now();
    const part = await read(position).catch(whilePassing);
    if (!part) {
      await pause(outageMs, signal).catch(() => undefined);
      continue;
    }
    const { data, meta } = part;
    const isNew = meta.feed.position !== position;
    position = meta.feed.position;
    if (data.length > 0 || isNew) yield { events: data, position };
    else if (Date.now() - since < IDLE_MS) await pause(IDLE_MS, signal).catch(() => undefined);
  }
}

function whilePassing(error: unknown): undefined {
  if (!isPassing(error)) throw error;
}
