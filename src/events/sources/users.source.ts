import type { Connection } from 'mongoose';
import { eventIdOf, type UserEventType } from '../../domain/events';
import { createUserModel, type UserDocument } from '../../users/users.model';
import type { Draft, EventSource } from '../event-source';
import type { EventRepository } from '../events.repository';
import { pagesOf } from './pages';

const BY_STATUS: Readonly<Record<string, UserEventType>> = {
  active: 'user.enabled',
  disabled: 'user.disabled',
  erased: 'user.erased',
};

/** What the last event of a user has of it. */
type Seen = Pick<UserDocument, 'status'>;

/** Says who, and nothing of the person: what is not told need not be erased. */
export function userSource(connection: Connection, feed: Pick<EventRepository, 'lastOf'>): EventSource {
  const users = connection.collection<UserDocument>(createUserModel(connection).collection.name);

  function draft(user: UserDocument, type: UserEventType, version: number, at: Date): Draft {
    const { _id: id, role, status, createdAt } = user;
    return {
      event: {
        _id: eventIdOf(id, version),
        type,
        types: [type],
        at,
        object: id,
        version,
        follows: null,
        data: { id, role, status, createdAt: createdAt.toISOString() },
      },
    };
  }

  /** Returns what the feed lacks of a user. */
  function missedOf(user: UserDocument, last: Seen | undefined, since: Date): Draft[] {
    const { status, tokenVersion, createdAt, updatedAt } = user;
    const isNew = !last && status !== 'guest' && createdAt >= since;
    const type = BY_STATUS[status];
    const isKnown = status === (last ? last.status : 'active');
    return [
      ...(isNew ? [draft(user, 'user.created', 0, createdAt)] : []),
      ...(type && !isKnown ? [draft(user, type, tokenVersion, updatedAt)] : []),
    ];
  }

  return {
    collection: users.collectionName,
    writes: {
      $or: [
        // A guest has no account.
        { operationType: 'insert', 'fullDocument.status': { $ne: 'guest' } },
        { operationType: 'update', 'updateDescription.updatedFields.status': { $exists: true } },
      ],
    },

    async eventsOf(write) {
      if (write.operationType === 'insert') {
        const user = write.fullDocument as UserDocument;
        return [draft(user, 'user.created', user.tokenVersion, user.createdAt)];
      }
      if (write.operationType === 'replace') return [];
      const { status, tokenVersion } = write.updateDescription.updatedFields as Partial<UserDocument>;
      const type = BY_STATUS[String(status)];
      const user = await users.findOne({ _id: String(write.documentKey._id) });
      if (!type || !user || tokenVersion === undefined) return [];
      return [draft({ ...user, status: status! }, type, tokenVersion, write.wallTime!)];
    },

    async *missedSince(since) {
      // There is no index of changes: all are read, but little of each.
      const found = users.find({}, { projection: SEEN, sort: { _id: 1 } });
      for await (const page of pagesOf(found)) {
        const changed = page.filter(({ updatedAt }) => updatedAt >= since);
        const events = await feed.lastOf(changed.map(({ _id }) => _id));
        const last = new Map(events.map(({ object, data }) => [object, data as Seen]));
        yield changed.flatMap((user) => missedOf(user, last.get(user._id), since));
      }
    },
  };
}

const SEEN = { role: 1, status: 1, tokenVersion: 1, createdAt: 1, updatedAt: 1 } as const;
