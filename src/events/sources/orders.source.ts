import type { Connection } from 'mongoose';
import { erasedOrder } from '../../domain/erasing';
import { eventIdOf, orderBefore, orderEventTypes } from '../../domain/events';
import type { Order } from '../../domain/order';
import { fromDocument, toDocument } from '../../orders/order-documents';
import { createOrderModel, type OrderDocument } from '../../orders/orders.model';
import type { Alongside, Draft, EventSource } from '../event-source';
import type { EventDocument, OrderAtVersion } from '../events.model';
import type { EventRepository } from '../events.repository';
import { pagesOf } from './pages';

/** Of how many orders the last event is remembered, which spares reading it. */
const REMEMBERED = 2_000;

/**
 * Orders are written as a whole, so the change stream has each version of them as it was written: neither a look-up, which
 * might find a later one, nor an image that MongoDB would have to keep is needed.
 */
export function orderSource(connection: Connection, feed: Pick<EventRepository, 'lastOf'>): EventSource {
  const orders = connection.collection<OrderDocument>(createOrderModel(connection).collection.name);
  /** The orders as the feed has them last, the latest at the end; null for those that it does not have. */
  const known = new Map<string, Order | null>();

  function remember(id: string, order: Order | null): void {
    known.delete(id);
    known.set(id, order);
  }

  function forgetOldest(): void {
    for (const id of known.keys()) {
      if (known.size <= REMEMBERED) return;
      known.delete(id);
    }
  }

  async function load(ids: readonly string[]): Promise<void> {
    forgetOldest();
    const unknown = [...new Set(ids)].filter((id) => !known.has(id));
    if (unknown.length === 0) return;
    const last = new Map((await feed.lastOf(unknown)).map((event) => [event.object, event]));
    for (const id of unknown) {
      const event = last.get(id);
      remember(id, event ? orderAt(event) : null);
    }
  }

  /** @param before returns the order as it was before, if the feed does not have it any more */
  function draftsOf(order: Order, before: (order: Order) => Order | null): Draft[] {
    const last = known.get(order.id) ?? null;
    if (last && order.version <= last.version) return [];
    remember(order.id, order);
    const change = { before: last ?? before(order), after: order };
    const types = orderEventTypes(change.before, order);
    const event: Draft['event'] = {
      _id: eventIdOf(order.id, order.version),
      type: types[0]!,
      types,
      at: new Date(order.updatedAt),
      object: order.id,
      version: order.version,
      follows: last && last.version,
      order: storedOrder(order),
    };
    const isErasing = types.includes('order.erased');
    return [
      isErasing
        ? {
            event,
            order: change,
            alongside: ({ events }, session) => eraseEarlier({ events }, session, order),
          }
        : { event, order: change },
    ];
  }

  async function* missed(archivedAt: OrderDocument['archivedAt'] | object, hint: string, since: Date) {
    const filter = { archivedAt, updatedAt: { $gte: since } } as never;
    const found = orders.find(filter, {
      hint,
      sort: { updatedAt: 1, _id: 1 },
    });
    const beginning = since.toISOString();
    for await (const documents of pagesOf(found)) {
      await load(documents.map(({ _id }) => _id));
      yield documents
        .map(fromDocument)
        .flatMap((order) =>
          draftsOf(order, (after) => (after.createdAt >= beginning ? null : orderBefore(after, beginning))),
        );
    }
  }

  return {
    collection: orders.collectionName,
    writes: { operationType: { $in: ['insert', 'replace'] } },

    prepare: (writes) => load(writes.map(({ documentKey }) => String(documentKey._id))),

    eventsOf(write) {
      if (write.operationType === 'update') return Promise.resolve([]);
      const order = fromDocument(write.fullDocument as OrderDocument);
      const before = (after: Order) => (after.version === 1 ? null : orderBefore(after, after.updatedAt));
      return Promise.resolve(draftsOf(order, before));
    },

    async *missedSince(since) {
      yield* missed(null, 'listed_by_change', since);
      // Also those that were archived while the others were read.
      yield* missed({ $gt: new Date(0) }, 'archived_by_change', since);
    },
  };
}

/** Returns the order as the event has it. */
export function orderAt({ order }: Pick<EventDocument, 'order'>): Order {
  return fromDocument({ ...order!, ...WITHOUT });
}

const WITHOUT = { commands: [], intention: null };

function storedOrder(order: Order): OrderAtVersion {
  const document = toDocument({ ...order, ...WITHOUT });
  const { commands: _commands, intention: _intention, schemaVersion: _version, ...stored } = document;
  return stored;
}

/** Erases what the earlier events of an order have of its customer. */
async function eraseEarlier(
  { events }: Pick<Alongside, 'events'>,
  session: Parameters<NonNullable<Draft['alongside']>>[1],
  { id, version: until }: Order,
): Promise<void> {
  const earlier = await events.find({ object: id, version: { $lt: until } }, { session }).toArray();
  const operations = earlier.map((event) => {
    const order = orderAt(event);
    const { version, updatedAt } = order;
    const erased = storedOrder({ ...erasedOrder(order, updatedAt), version });
    return { updateOne: { filter: { _id: event._id }, update: { $set: { order: erased } } } };
  });
  if (operations.length > 0) await events.bulkWrite(operations, { session });
}
