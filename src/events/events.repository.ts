import type { ClientSession, Connection } from 'mongoose';
import type { EventType } from '../domain/events';
import { isDuplicateKey } from '../mongodb/errors';
import type { Transact } from '../mongodb/transaction';
import {
  createAvailabilityModel,
  createEventModel,
  createRelayModel,
  RELAY,
  type AvailabilityDocument,
  type EventDocument,
  type RelayDocument,
} from './events.model';
import type { Draft } from './event-source';
import { Superseded, type Lead, type Progress } from './lead';

export interface EventFilter {
  /** The position of the last event that is known. */
  after: number;
  types?: readonly EventType[];
}

export interface EventPage {
  events: EventDocument[];
  /** The position of the last event that there was before they were looked for; 0 if there was none. */
  latest: number;
  /** The position before the oldest event that is kept. */
  beginning: number;
}

/** What tells where an event is and who wants to know of it. */
export type BriefEvent = Pick<EventDocument, '_id' | 'position' | 'types' | 'recordedAt'>;

const BRIEF = { position: 1, types: 1, recordedAt: 1 } as const;

/** Of how many events it is changed together when they expire. */
const SHORTENED = 1_000;

export type EventRepository = ReturnType<typeof createEventRepository>;

/** The feed. It is read as a majority has it, like everything else, so no position is ever given to another event. */
export function createEventRepository(connection: Connection) {
  const events = connection.collection<EventDocument>(createEventModel(connection).collection.name);
  const relay = connection.collection<RelayDocument>(createRelayModel(connection).collection.name);

  return {
    /** Returns the events that match, oldest first, and between which positions they were looked for. */
    page: ({ after, types }: EventFilter, limit: number): Promise<EventPage> =>
      // A session is causally consistent: what is found is never older than what is known to be there.
      connection.withSession(async (session) => {
        const options = { session };
        const known = await relay.findOne({ _id: RELAY }, { projection: { position: 1 }, ...options });
        const [oldest] = await events
          .find({}, { projection: { position: 1 }, sort: { position: 1 }, limit: 1, ...options })
          .toArray();
        const latest = known?.position ?? 0;
        const filter = { position: { $gt: after }, ...(types && { types: { $in: [...types] } }) };
        const found = await events.find(filter, { sort: { position: 1 }, limit, ...options }).toArray();
        return { events: found, latest, beginning: oldest ? oldest.position - 1 : latest };
      }),

    /** Returns the position of the last event; 0 if there is none. */
    async latest(): Promise<number> {
      const known = await relay.findOne({ _id: RELAY }, { projection: { position: 1 } });
      return known?.position ?? 0;
    },

    find: (id: string): Promise<EventDocument | null> => events.findOne({ _id: id }),

    /** Returns the events after a position, oldest first, without what they are about. */
    brief: (after: number, limit: number): Promise<BriefEvent[]> =>
      events
        .find<BriefEvent>({ position: { $gt: after } }, { sort: { position: 1 }, limit, projection: BRIEF })
        .toArray(),

    /**
     * Returns the position before the first event that came into the feed at that time or later. Positions have no gaps, and
     * times rise with them, so it takes few reads, and no index.
     */
    async positionBefore(time: Date): Promise<number> {
      const at = (sort: 1 | -1) =>
        events.find({}, { sort: { position: sort }, limit: 1, projection: BRIEF }).next();
      const [oldest, newest] = [await at(1), await at(-1)];
      if (!oldest || !newest) return 0;
      let [low, high] = [oldest.position, newest.position + 1];
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const found = await events.findOne({ position: middle }, { projection: BRIEF });
        // One that is gone has expired.
        if (!found || found.recordedAt < time) low = middle + 1;
        else high = middle;
      }
      return low - 1;
    },

    /** Returns the events of an object after one of its versions, oldest first. */
    history: (object: string, afterVersion: number, limit: number): Promise<EventDocument[]> =>
      events.find({ object, version: { $gt: afterVersion } }, { sort: { version: 1 }, limit }).toArray(),

    /** Returns the last event of each of these objects. */
    async lastOf(objects: readonly string[]): Promise<EventDocument[]> {
      if (objects.length === 0) return [];
      const found = await events
        .aggregate<{ event: EventDocument }>([
          { $match: { object: { $in: [...objects] } } },
          { $sort: { object: -1, version: -1 } },
          { $group: { _id: '$object', event: { $first: '$$ROOT' } } },
        ])
        .toArray();
      return found.map(({ event }) => event);
    },

    /** Opens a stream that tells of each new event, with nothing of it but what it is about and where it is. */
    watch: (maxAwaitTimeMS: number) =>
      events.watch<Pick<EventDocument, 'object' | 'position'>>(
        [
          { $match: { operationType: 'insert' } },
          { $project: { 'fullDocument.object': 1, 'fullDocument.position': 1 } },
        ],
        { maxAwaitTimeMS },
      ),
  };
}

export type RelayRepository = ReturnType<typeof createRelayRepository>;

/** What the relay writes, in transactions that only the process of the newest term can make. */
export function createRelayRepository({
  connection,
  transact,
  retentionMs,
}: {
  connection: Connection;
  transact: Transact;
  /** How long events are kept, in milliseconds. */
  retentionMs: number;
}) {
  const events = connection.collection<EventDocument>(createEventModel(connection).collection.name);
  const relay = connection.collection<RelayDocument>(createRelayModel(connection).collection.name);
  const availability = connection.collection<AvailabilityDocument>(
    createAvailabilityModel(connection).collection.name,
  );

  /** @throws {Superseded} another process has taken over */
  async function advance(
    lead: Lead,
    progress: Partial<RelayDocument>,
    session?: ClientSession,
  ): Promise<void> {
    const mine = { _id: RELAY, term: lead.term, position: lead.position };
    const { matchedCount } = await relay.updateOne(mine, { $set: progress }, { session });
    if (matchedCount === 0) throw new Superseded();
  }

  return {
    /** Begins a term: nobody of an earlier one can write any more. */
    async takeOver(): Promise<Lead> {
      const begin = () =>
        relay.findOneAndUpdate(
          { _id: RELAY },
          {
            $inc: { term: 1 },
            $setOnInsert: { position: 0, token: null, followedAt: null, recordedAt: null },
          },
          { upsert: true, returnDocument: 'after' },
        );
      // Of two processes that begin the first term at once, one inserts it.
      const found = await begin().catch((error: unknown) => {
        if (isDuplicateKey(error)) return begin();
        throw error;
      });
      const { term, position, token, followedAt, recordedAt } = found!;
      return { term, position, token, followedAt, recordedAt };
    },

    /**
     * Adds events to the feed, and saves how far the relay has come by that: both or neither.
     * @throws {Superseded}
     */
    async append(lead: Lead, drafts: readonly Draft[], progress: Progress): Promise<Lead> {
      if (drafts.length === 0) {
        await advance(lead, progress);
        return { ...lead, ...progress };
      }
      // Never earlier than that of an event before it, so that events expire in the order of the feed.
      const recordedAt = new Date(Math.max(Date.now(), lead.recordedAt?.getTime() ?? 0));
      const expiresAt = new Date(recordedAt.getTime() + retentionMs);
      const documents = drafts.map(({ event }, n): EventDocument => {
        return { ...event, position: lead.position + n + 1, recordedAt, expiresAt };
      });
      const saved = { ...progress, position: lead.position + drafts.length, recordedAt };
      await transact(async (session) => {
        await advance(lead, saved, session);
        await events.insertMany(documents, { session, ignoreUndefined: true });
        for (const { alongside } of drafts) await alongside?.({ events, availability }, session);
      });
      return { ...lead, ...saved };
    },

    /**
     * Has events expire no later than if they were added with the retention of now. Those of a time when it was longer would
     * outlast later ones, and a reader who is between them would not learn that some are gone.
     * @param onProgress called every now and then
     */
    async shortenExpiry(signal: AbortSignal, onProgress: () => void): Promise<void> {
      const expiresAt = { $min: ['$expiresAt', { $add: ['$recordedAt', retentionMs] }] };
      const edge = (sort: 1 | -1) => events.findOne({}, { sort: { position: sort }, projection: BRIEF });
      const isLonger = await events.findOne({ expiresAt: { $gt: new Date(Date.now() + retentionMs) } });
      const [oldest, newest] = isLonger ? [await edge(1), await edge(-1)] : [];
      if (!oldest || !newest) return;
      // The oldest first, so that what expires meanwhile is the oldest, and that it is done is seen by the newest.
      for (let from = oldest.position; from <= newest.position && !signal.aborted; from += SHORTENED) {
        const some = { position: { $gte: from, $lt: from + SHORTENED } };
        await events.updateMany(some, [{ $set: { expiresAt } }]);
        onProgress();
      }
    },

    /** Returns the drafts of events that the feed does not have. */
    async lacking(drafts: readonly Draft[]): Promise<readonly Draft[]> {
      if (drafts.length === 0) return drafts;
      const wanted = { _id: { $in: drafts.map(({ event }) => event._id) } };
      const found = await events.find(wanted, { projection: { _id: 1 } }).toArray();
      const known = new Set(found.map(({ _id }) => _id));
      return drafts.filter(({ event }) => !known.has(event._id));
    },

    /** Returns what the feed has said of the availability of products. */
    availability: () => availability.find({}).toArray(),
  };
}
