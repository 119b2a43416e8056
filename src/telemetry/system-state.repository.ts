import type { Connection, mongo } from 'mongoose';
import { createAuditModel, type AuditDocument } from '../audit/audit.model';
import type { OrderStatus } from '../domain/order';
import { createRelayModel, RELAY, type RelayDocument } from '../events/events.model';
import { createOrderModel, UNFINISHED, type OrderDocument } from '../orders/orders.model';
import { createUpkeepModel, type Upkeep, type UpkeepDocument } from '../upkeep/upkeep.model';
import {
  createDeliveryModel,
  createEndpointModel,
  type DeliveryDocument,
  type EndpointDocument,
} from '../webhooks/webhooks.model';

/** More are not counted: that there are so many says enough, and counting takes time. */
const MAX_COUNTED = 100_000;
/** How long MongoDB may take for one of these, in milliseconds; it is not known then. */
const MAX_MS = 4_000;

const ANY_TIME = { $gt: new Date(0) };

export type SystemStateRepository = ReturnType<typeof createSystemStateRepository>;

/** What is read of the whole system to measure it: by indexes, and with limits, so that it is cheap at any size. */
export function createSystemStateRepository(connection: Connection) {
  const collection = <T extends mongo.Document>(model: { collection: { name: string } }) =>
    connection.collection<T>(model.collection.name);
  const orders = collection<OrderDocument>(createOrderModel(connection));
  const relay = collection<RelayDocument>(createRelayModel(connection));
  const deliveries = collection<DeliveryDocument>(createDeliveryModel(connection));
  const endpoints = collection<EndpointDocument>(createEndpointModel(connection));
  const audit = collection<AuditDocument>(createAuditModel(connection));
  const upkeep = collection<UpkeepDocument>(createUpkeepModel(connection));
  const limited = { limit: MAX_COUNTED, maxTimeMS: MAX_MS };

  return {
    /** Returns how many orders have a status, and when the oldest was created; null if there is none. */
    async withStatus(status: OrderStatus): Promise<{ count: number; oldest: Date | null }> {
      const filter = { archivedAt: null, status };
      const options = { hint: 'listed_by_status', maxTimeMS: MAX_MS };
      const oldest = await orders.findOne(filter, {
        ...options,
        sort: { createdAt: 1, _id: 1 },
        projection: { createdAt: 1 },
      });
      const count = oldest ? await orders.countDocuments(filter, { ...options, ...limited }) : 0;
      return { count, oldest: oldest && oldest.createdAt };
    },

    /** Returns how many orders of which a part is fulfilled wait too long for the rest. */
    overdue: (): Promise<number> =>
      orders.countDocuments(
        { archivedAt: null, fulfillmentStatus: 'partially_fulfilled', overdueSince: ANY_TIME },
        { hint: 'listed_by_fulfillment_status', ...limited },
      ),

    /** Returns how many compensations keep failing, and since when the oldest is owed; null if there is none. */
    async failingCompensations(): Promise<{ count: number; oldest: Date | null }> {
      const failing = orders.find<Pick<OrderDocument, 'compensations'>>(
        {
          $or: UNFINISHED.map((field) => ({ [field]: ANY_TIME })),
          compensations: { $elemMatch: { state: 'pending' } },
        } as mongo.Filter<OrderDocument>,
        {
          hint: 'unfinished',
          projection: { 'compensations.state': 1, 'compensations.since': 1 },
          ...limited,
        },
      );
      let count = 0;
      let oldest: Date | null = null;
      for await (const { compensations } of failing) {
        for (const { state, since } of compensations) {
          if (state !== 'pending') continue;
          count++;
          if (!oldest || since < oldest) oldest = since;
        }
      }
      return { count, oldest };
    },

    /** Returns up to when all writes have become events; null before the first time. */
    async followedAt(): Promise<Date | null> {
      const found = await relay.findOne({ _id: RELAY }, { projection: { followedAt: 1 }, maxTimeMS: MAX_MS });
      return found?.followedAt ?? null;
    },

    /** Returns how many deliveries wait for an attempt. */
    pendingDeliveries: (): Promise<number> =>
      deliveries.countDocuments(
        { status: 'pending', nextAttemptAt: ANY_TIME },
        { hint: { nextAttemptAt: 1 }, ...limited },
      ),

    /** Returns why webhook endpoints are disabled, or since when they fail, of each that is or does; there are few in all. */
    async failingEndpoints(): Promise<Pick<EndpointDocument, 'disabledReason' | 'failingSince'>[]> {
      const found = await endpoints
        .find({}, { projection: { disabledReason: 1, failingSince: 1 }, ...limited })
        .toArray();
      return found.filter(({ disabledReason, failingSince }) => disabledReason || failingSince);
    },

    /** Returns how many entries of the audit log have no place in its chain yet, and when the oldest was written. */
    async unsealedAudit(): Promise<{ count: number; oldest: Date | null }> {
      const options = { hint: { unsealed: 1, _id: 1 }, maxTimeMS: MAX_MS };
      const unsealed = { unsealed: true } as const;
      const oldest = await audit.findOne(unsealed, { ...options, sort: { _id: 1 }, projection: { at: 1 } });
      const count = oldest ? await audit.countDocuments(unsealed, { ...options, ...limited }) : 0;
      return { count, oldest: oldest && oldest.at };
    },

    /** Returns when each regular work has ended last, or since when that is awaited; there are few in all. */
    async upkeepEnded(): Promise<{ work: Upkeep; at: Date }[]> {
      const found = await upkeep.find({}, limited).toArray();
      return found.map(({ _id: work, since, endedAt }) => ({ work, at: endedAt ?? since }));
    },

    /** Returns which part of its file system MongoDB's data leave no room in, from 0 to 1. */
    async filesystemUsed(): Promise<number> {
      const { fsUsedSize, fsTotalSize } = await connection.db!.command({ dbStats: 1, maxTimeMS: MAX_MS });
      if (!(fsTotalSize > 0)) throw new Error('MongoDB does not tell the size of its file system.');
      return fsUsedSize / fsTotalSize;
    },
  };
}
