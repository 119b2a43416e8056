import { setImmediate as immediate } from 'node:timers/promises';
import { mongo, type Connection } from 'mongoose';
import { CHANGES_MAX_AWAIT_MS } from '../mongodb/follow-changes';
import type { Draft, EventSource, Write } from './event-source';
import type { RelayRepository } from './events.repository';
import { Superseded, type Lead, type Progress } from './lead';

/** How many changes become events in one transaction at most. */
const BATCH = 100;
/** How often it is saved how far the relay has come when nothing happens, in milliseconds. */
const SAVE_EVERY_MS = 5_000;
/** How long before it was known to be complete what was missed is looked for: clocks differ, and writers may be slow. */
const MARGIN_MS = 3_600_000;

export interface RelayDeps {
  connection: Connection;
  repository: RelayRepository;
  /** Creates what a process knows of the collections while it relays. */
  createSources(): Promise<EventSource[]> | EventSource[];
  /** How long events are kept, in milliseconds. */
  retentionMs: number;
  /** Called with what was added to the feed, to count it. */
  onAppended?(drafts: readonly Draft[]): void;
}

export interface RelayRun {
  /** Aborts when another process is to continue. */
  signal: AbortSignal;
  /** Called at least every few seconds, with how far it has come. */
  onProgress?(lead: Lead): void;
}

export type Relay = ReturnType<typeof createRelay>;

/**
 * Creates what makes events of the writes of several collections, in the order in which they were committed. Nothing is
 * written for it by those who write: their writes are the outbox, and the change stream reads it.
 */
export function createRelay({
  connection,
  repository,
  createSources,
  retentionMs,
  onAppended = () => undefined,
}: RelayDeps) {
  async function append(lead: Lead, drafts: readonly Draft[], progress: Progress): Promise<Lead> {
    const advanced = await repository.append(lead, drafts, progress);
    onAppended(drafts);
    return advanced;
  }

  function watch(sources: readonly EventSource[], options: mongo.ChangeStreamOptions) {
    const wanted = sources.map(({ collection, writes }) => ({ 'ns.coll': collection, ...writes }));
    return connection.db!.watch<mongo.Document, Write>([{ $match: { $or: wanted } }], {
      maxAwaitTimeMS: CHANGES_MAX_AWAIT_MS,
      ...options,
    });
  }

  /** Returns a token of now: a stream that is resumed with it tells of all later writes. */
  async function currentToken(sources: readonly EventSource[]): Promise<mongo.ResumeToken> {
    const stream = watch(sources, {});
    try {
      // What it tells was written before anything is swept.
      do await stream.tryNext();
      while (!stream.resumeToken);
      return stream.resumeToken;
    } finally {
      await stream.close();
    }
  }

  /** Adds what the feed lacks of a time of which the change stream cannot tell any more. */
  async function sweep(sources: readonly EventSource[], begun: Lead, run: RelayRun): Promise<Lead> {
    const token = await currentToken(sources);
    const startedAt = new Date();
    const oldest = startedAt.getTime() - retentionMs;
    const since = new Date(Math.max(oldest, (begun.followedAt?.getTime() ?? 0) - MARGIN_MS));
    const asBefore = { token: begun.token, followedAt: begun.followedAt };
    let lead = begun;
    for (const source of sources) {
      for await (const drafts of source.missedSince(since)) {
        const lacking = await repository.lacking(drafts);
        if (lacking.length > 0) lead = await append(lead, lacking, asBefore);
        run.onProgress?.(lead);
        if (run.signal.aborted) return lead;
      }
    }
    const swept = await repository.append(lead, [], { token, followedAt: startedAt });
    run.onProgress?.(swept);
    return swept;
  }

  async function follow(sources: readonly EventSource[], begun: Lead, run: RelayRun): Promise<void> {
    const byCollection = new Map(sources.map((source) => [source.collection, source]));
    const stream = watch(sources, { resumeAfter: begun.token });
    const nextWrites = inBatches(stream);
    let lead = begun;
    let savedAt = Date.now();
    // The server would be waited for, while another process could continue.
    const close = () => void stream.close();
    run.signal.addEventListener('abort', close);
    try {
      while (!run.signal.aborted) {
        const { writes, token } = await nextWrites();
        for (const source of sources) {
          const own = writes.filter(({ ns }) => ns.coll === source.collection);
          if (own.length > 0) await source.prepare?.(own);
        }
        const drafts: Draft[] = [];
        for (const write of writes) drafts.push(...(await byCollection.get(write.ns.coll)!.eventsOf(write)));
        const isTimeToSave = Date.now() - savedAt >= SAVE_EVERY_MS;
        if (drafts.length > 0 || isTimeToSave) {
          const last = writes.at(-1)?.clusterTime;
          const followedAt = last ? new Date(last.getHighBitsUnsigned() * 1_000) : new Date();
          // After a sweep, the stream tells of writes that were swept.
          const lacking = await repository.lacking(drafts);
          lead = await append(lead, lacking, { token, followedAt });
          savedAt = Date.now();
        }
        run.onProgress?.(lead);
      }
    } catch (error) {
      if (!run.signal.aborted) throw error;
    } finally {
      run.signal.removeEventListener('abort', close);
      await stream.close();
    }
  }

  async function leadUntilAborted(run: RelayRun): Promise<void> {
    let lead = await repository.takeOver();
    run.onProgress?.(lead);
    await repository.shortenExpiry(run.signal, () => run.onProgress?.(lead));
    const sources = await createSources();
    let isLost = lead.token === null;
    while (!run.signal.aborted) {
      if (isLost) lead = await sweep(sources, lead, run);
      else await follow(sources, lead, run).catch(unlessTokenLost);
      isLost = !isLost;
    }
  }

  /** Relays until the signal aborts, or another process has taken over. Returns which. */
  return async function relay(run: RelayRun): Promise<'aborted' | 'superseded'> {
    try {
      await leadUntilAborted(run);
      return 'aborted';
    } catch (error) {
      if (error instanceof Superseded) return 'superseded';
      throw error;
    }
  };
}

/** Returns a function that waits for writes, and takes together those that are there. */
function inBatches(stream: mongo.ChangeStream<mongo.Document, Write>) {
  let pending: Promise<Write | null> | undefined;
  const next = () => {
    pending ??= stream.tryNext();
    pending.catch(() => undefined); // the one who takes it learns of it
    return pending;
  };
  return async (): Promise<{ writes: Write[]; token: mongo.ResumeToken }> => {
    const first = await next();
    pending = undefined;
    if (!first) return { writes: [], token: stream.resumeToken };
    const writes = [first];
    while (writes.length < BATCH) {
      // What the server has sent already is there at once.
      const write = await Promise.race([next(), immediate(undefined)]);
      if (write === undefined) break;
      pending = undefined;
      if (write === null) break;
      writes.push(write);
    }
    return { writes, token: writes.at(-1)!._id };
  };
}

/** The codes with which MongoDB answers that it cannot tell what has happened since. */
const TOKEN_LOST: ReadonlySet<unknown> = new Set([
  50_811, // the token is of something else
  260, // InvalidResumeToken
  280, // ChangeStreamFatalError
  286, // ChangeStreamHistoryLost
]);

function unlessTokenLost(error: unknown): void {
  if (!(error instanceof mongo.MongoServerError && TOKEN_LOST.has(error.code))) throw error;
}
