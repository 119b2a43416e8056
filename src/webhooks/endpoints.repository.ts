import type { ClientSession, Connection } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { changesBetween, type Origin } from '../domain/audit';
import { healthAfter, MAX_ENDPOINTS, type Verdict } from '../domain/webhook';
import { createTransact } from '../mongodb/transaction';
import {
  createDispatchModel,
  createEndpointModel,
  type EndpointCounterDocument,
  type EndpointDocument,
  type ReplayDocument,
} from './webhooks.model';

export type Endpoint = Omit<EndpointDocument, '_id'> & { id: string };

/** What the audit log tells of: of the secrets only when the newest was made. */
const AUDITED = ['url', 'description', 'types', 'disabledReason', 'secretCreatedAt'];
/** The id of what counts them. */
const ENDPOINTS = 'endpoints';
/** What nobody asked for, but that an endpoint has failed. */
const SYSTEM: Origin = { by: 'system', requestId: null, address: null };

export type EndpointRepository = ReturnType<typeof createEndpointRepository>;

export function createEndpointRepository(connection: Connection) {
  const documents = connection.collection<EndpointDocument>(createEndpointModel(connection).collection.name);
  const counters = connection.collection<EndpointCounterDocument>(
    createDispatchModel(connection).collection.name,
  );
  const transact = createTransact(connection);
  const recordAudit = createAuditRecorder(connection);

  async function read(id: string, session?: ClientSession): Promise<Endpoint | null> {
    const found = await documents.findOne({ _id: id }, { session });
    return found && fromDocument(found);
  }

  /** The transaction collides with any other that changes it. */
  async function replace(endpoint: Endpoint, session: ClientSession): Promise<void> {
    await documents.replaceOne({ _id: endpoint.id }, toDocument(endpoint), { session });
  }

  function audit(
    action: string,
    [before, after]: [Endpoint | null, Endpoint | null],
    origin: Origin,
    session: ClientSession,
  ): Promise<void> {
    return recordAudit(
      {
        origin,
        action: `webhook_endpoint.${action}`,
        object: (after ?? before)!.id,
        subject: null,
        changes: changesBetween(audited(before), audited(after), AUDITED),
        personal: [],
      },
      session,
    );
  }

  return {
    find: (id: string) => read(id),

    /** Returns all that get events. */
    async enabled(): Promise<Endpoint[]> {
      return (await documents.find({ disabledReason: null }).toArray()).map(fromDocument);
    },

    /** Lists endpoints, newest first. @param page `after` is the id of the last one of the previous page */
    async list({ limit, after }: { limit: number; after?: string }): Promise<Endpoint[]> {
      const filter = after === undefined ? {} : { _id: { $lt: after } };
      return (await documents.find(filter, { sort: { _id: -1 }, limit }).toArray()).map(fromDocument);
    },

    /** Returns false if there are too many already. */
    insert: (endpoint: Endpoint, origin: Origin): Promise<boolean> =>
      transact(async (session) => {
        // Those that are made at once would not see each other: by this they collide, and are made one by one.
        await counters.updateOne({ _id: ENDPOINTS }, { $inc: { made: 1 } }, { upsert: true, session });
        if ((await documents.countDocuments({}, { session, limit: MAX_ENDPOINTS })) === MAX_ENDPOINTS)
          return false;
        await documents.insertOne(toDocument(endpoint), { session });
        await audit('create', [null, endpoint], origin, session);
        return true;
      }),

    /**
     * Changes an endpoint, and returns it; null if there is none.
     * @param change returns it as it is to be, and may throw; it may be called several times
     */
    change: (
      id: string,
      change: (endpoint: Endpoint) => Endpoint,
      { action, origin }: { action: string; origin: Origin },
    ): Promise<Endpoint | null> =>
      transact(async (session) => {
        const before = await read(id, session);
        if (!before) return null;
        const after = { ...change(before), version: before.version + 1, updatedAt: new Date() };
        await replace(after, session);
        await audit(action, [before, after], origin, session);
        return after;
      }),

    /**
     * Begins a replay, and returns it; null if there is no such endpoint.
     * @param begin returns it, also one that has begun before, and may throw; it may be called several times
     */
    beginReplay: (
      id: string,
      begin: (endpoint: Endpoint) => ReplayDocument,
      origin: Origin,
    ): Promise<ReplayDocument | null> =>
      transact(async (session) => {
        const before = await read(id, session);
        if (!before) return null;
        const replay = begin(before);
        if (replay === before.replay) return replay;
        await replace({ ...before, replay, version: before.version + 1 }, session);
        await recordAudit(
          {
            origin,
            action: 'webhook_endpoint.replay',
            object: id,
            subject: null,
            changes: changesBetween(null, replay, ['from', 'to']),
            personal: [],
          },
          session,
        );
        return replay;
      }),

    /** Notes that all events of a replay have become deliveries. */
    async completeReplay(id: string, round: string): Promise<void> {
      await documents.updateOne(
        { _id: id, 'replay.round': round, 'replay.completedAt': null },
        { $set: { 'replay.completedAt': new Date() }, $inc: { version: 1 } },
      );
    },

    /** Returns all endpoints. */
    all: async (): Promise<Endpoint[]> => (await documents.find().toArray()).map(fromDocument),

    /** Replaces how a secret is sealed, unless that has changed. */
    async reseal(id: string, before: string, after: string): Promise<void> {
      await documents.updateOne(
        { _id: id, 'secrets.sealed': before },
        { $set: { 'secrets.$.sealed': after } },
      );
    },

    /** Returns false if there is none. @param check may throw */
    remove: (id: string, check: (endpoint: Endpoint) => void, origin: Origin): Promise<boolean> =>
      transact(async (session) => {
        const before = await read(id, session);
        if (!before) return false;
        check(before);
        await documents.deleteOne({ _id: id }, { session });
        await audit('delete', [before, null], origin, session);
        return true;
      }),

    /**
     * Notes how an attempt went, unless that changes nothing: most do not.
     * Returns the endpoint if that has disabled it.
     */
    recordVerdict: async (id: string, verdict: Verdict, at: Date): Promise<Endpoint | null> => {
      const known = await read(id);
      if (!known || isSame(known, fared(known, verdict, at))) return null;
      return transact(async (session) => {
        const before = await read(id, session);
        if (!before) return null;
        const after = { ...fared(before, verdict, at), version: before.version + 1, updatedAt: at };
        if (isSame(before, after)) return null;
        await replace(after, session);
        if (after.disabledReason === before.disabledReason) return null;
        await audit('disable', [before, after], SYSTEM, session);
        return after;
      });
    },
  };
}

function audited(endpoint: Endpoint | null): object | null {
  return endpoint && { ...endpoint, secretCreatedAt: endpoint.secrets[0]!.createdAt };
}

function fared(endpoint: Endpoint, verdict: Verdict, at: Date): Endpoint {
  const { disabledReason, failingSince } = healthAfter(
    { ...endpoint, failingSince: endpoint.failingSince?.getTime() ?? null },
    verdict,
    at.getTime(),
  );
  return {
    ...endpoint,
    disabledReason,
    disabledAt: endpoint.disabledAt ?? (disabledReason && at),
    failingSince: failingSince === null ? null : new Date(failingSince),
  };
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return (
    one.disabledReason === other.disabledReason &&
    one.failingSince?.getTime() === other.failingSince?.getTime()
  );
}

function toDocument({ id, ...endpoint }: Endpoint): EndpointDocument {
  return { _id: id, ...endpoint };
}

function fromDocument({ _id: id, ...endpoint }: EndpointDocument): Endpoint {
  return { id, ...endpoint };
}
