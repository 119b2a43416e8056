import type { Connection } from 'mongoose';
import { eventIdOf, type UserEventType } from '../../domain/events';
import { createUserModel, type UserDocument } from '../../users/users.model';
import type { Draft, EventSource } from '../event-source';
import type { EventRepository } from '../events.repository';

const BY_STATUS: Readonly<Record<string, UserEventType>> = {
  active: 'user.enabled',
  disabled: 'user.disabled',
  erased: 'user.erased',
};

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
      const { status, tokenVersion } = (write.updateDescription.updatedFields ?? {}) as Partial<UserDocument>;
      const type = BY_STATUS[String(status)];
      const user = await users.findOne(
        { _id: String(write.documentKey._id) },
        { readConcern: { level: 'majority' } },
      );
      if (!type || !user || tokenVersion === undefined) return [];
      return [draft({ ...user, status: status! }, type, tokenVersion, write.wallTime ?? user.updatedAt)];
    },

    async *missedSince(since) {
      const found = users.find(
        { updatedAt: { $gte: since } },
        { readConcern: { level: 'majority' }, sort: { _id: 1 } },
      );
      for await (const user of found) {
        const [event] = await feed.lastOf([user._id]);
        const last = event?.data as Pick<UserDocument, 'status'> | undefined;
        const isNew = !last && user.status !== 'guest' && user.createdAt >= since;
        if (isNew) yield [draft(user, 'user.created', 0, user.createdAt)];
        const type = BY_STATUS[user.status];
        const isKnown = last ? last.status === user.status : user.status === 'active';
        if (type && !isKnown) yield [draft(user, type, user.tokenVersion, user.updatedAt)];
      }
    },
  };
}
