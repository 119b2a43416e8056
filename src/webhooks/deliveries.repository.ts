import { mongo, type Connection } from 'mongoose';
import { createAuditRecorder } from '../audit/recorder';
import { changesBetween, type Origin } from '../domain/audit';
import { createTransact } from '../mongodb/transaction';
import {
  createDeliveryModel,
  createDispatchModel,
  type DeliveryDocument,
  type DeliveryStatus,
  type DispatchDocument,
} from './webhooks.model';

export type Delivery = Omit<DeliveryDocument, '_id' | 'expiresAt'> & { id: string };

/** How long a delivery is kept, from the beginning of its last round on. */
const KEPT_MS = 30 * 86_400_000;
/** The id of the one that there is. */
const DISPATCH = 'webhooks';

/** What an attempt changes. */
export type AttemptOutcome = Pick<
  Delivery,
  'status' | 'attempts' | 'lastAttemptAt' | 'lastStatus' | 'lastError' | 'nextAttemptAt' | 'completedAt'
>;

export type DeliveryRepository = ReturnType<typeof createDeliveryRepository>;

export function createDeliveryRepository(connection: Connection) {
  const documents = connection.collection<DeliveryDocument>(createDeliveryModel(connection).collection.name);
  const transact = createTransact(connection);
  const recordAudit = createAuditRecorder(connection);
  const dispatch = connection.collection<DispatchDocument>(createDispatchModel(connection).collection.name);

  return {
    async find(id: string): Promise<Delivery | null> {
      const found = await documents.findOne({ _id: id });
      return found && fromDocument(found);
    },

    /** Lists deliveries to an endpoint, newest events first. @param page `after` is the id of the last one of the previous page */
    async list(
      { endpointId, status }: { endpointId: string; status?: DeliveryStatus },
      { limit, after }: { limit: number; after?: string },
    ): Promise<Delivery[]> {
      const filter = {
        endpointId,
        ...(status && { status }),
        ...(after !== undefined && { _id: { $lt: after } }),
      };
      return (await documents.find(filter, { sort: { _id: -1 }, limit }).toArray()).map(fromDocument);
    },

    /** Adds deliveries; those that are there already stay as they are. */
    async insert(deliveries: readonly Delivery[]): Promise<void> {
      if (deliveries.length === 0) return;
      await documents
        .insertMany(deliveries.map(toDocument), { ordered: false, ignoreUndefined: true })
        .catch(unlessThere);
    },

    /** Begins the round that these name, unless it was begun before. */
    async begin(deliveries: readonly Delivery[]): Promise<void> {
      if (deliveries.length === 0) return;
      const operations = deliveries.map((delivery) => {
        const { _id, ...document } = toDocument(delivery);
        const filter = { _id, round: { $ne: delivery.round } };
        return { replaceOne: { filter, replacement: document, upsert: true } };
      });
      await documents.bulkWrite(operations, { ordered: false, ignoreUndefined: true }).catch(unlessThere);
    },

    /** Returns deliveries of which an attempt should have been made before that time, those that wait longest first. */
    async overdue(before: Date, limit: number): Promise<Delivery[]> {
      const filter = { status: 'pending', nextAttemptAt: { $lt: before } } as const;
      return (await documents.find(filter, { sort: { nextAttemptAt: 1 }, limit }).toArray()).map(
        fromDocument,
      );
    },

    /** Has the attempts of overdue deliveries due now, unless they have been made meanwhile. */
    async postpone(overdue: readonly Delivery[], before: Date): Promise<void> {
      if (overdue.length === 0) return;
      const filter = {
        _id: { $in: overdue.map(({ id }) => id) },
        status: 'pending',
        nextAttemptAt: { $lt: before },
      };
      await documents.updateMany(filter as object, { $set: { nextAttemptAt: new Date() } });
    },

    /** Begins another round of a delivery, which an ADMIN has asked for. */
    restart: (before: Delivery, after: Delivery, origin: Origin): Promise<void> =>
      transact(async (session) => {
        await documents.replaceOne({ _id: after.id }, toDocument(after), { session, ignoreUndefined: true });
        const changes = changesBetween(before, after, ['status', 'round']);
        const done = { action: 'webhook_delivery.redeliver', object: after.id, subject: null };
        await recordAudit({ ...done, origin, changes, personal: [] }, session);
      }),

    /** Notes how an attempt went, unless another one was noted, or another round begun, since it was read. */
    async record({ id, round, attempts }: Delivery, outcome: AttemptOutcome): Promise<void> {
      await documents.updateOne({ _id: id, round, attempts, status: 'pending' }, { $set: outcome });
    },

    /** Returns the position of the last event that has become deliveries; 0 if none has. */
    async dispatched(): Promise<number> {
      return (await dispatch.findOne({ _id: DISPATCH }))?.position ?? 0;
    },

    async saveDispatched(position: number): Promise<void> {
      await dispatch.updateOne({ _id: DISPATCH }, { $max: { position } }, { upsert: true });
    },
  };
}

/** A document that is there already is what was wanted: of an upsert, it has the round. */
function unlessThere(error: unknown): void {
  const errors = error instanceof mongo.MongoBulkWriteError ? [error.writeErrors].flat() : [];
  if (errors.length === 0 || errors.some(({ code }) => code !== 11_000)) throw error;
}

function toDocument({ id, ...delivery }: Delivery): DeliveryDocument {
  const expiresAt = new Date(Date.now() + KEPT_MS);
  return { _id: id, ...delivery, expiresAt };
}

function fromDocument({ _id: id, expiresAt: _, ...delivery }: DeliveryDocument): Delivery {
  return { id, ...delivery };
}
