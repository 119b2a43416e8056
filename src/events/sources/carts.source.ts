import type { Connection } from 'mongoose';
import { createCartModel, type CartDocument } from '../../carts/carts.model';
import { eventIdOf } from '../../domain/events';
import type { OrderLine } from '../../domain/order';
import type { Draft, EventSource } from '../event-source';
import { pagesOf } from './pages';

/** What an event says of a cart: whose it is and what is in it, and nothing of the person. */
export interface EventCart {
  id: string;
  /** The user, or the guest who exists once something is ordered. */
  customerId: string;
  isGuest: boolean;
  items: OrderLine[];
  abandonedAt: string;
  updatedAt: string;
}

export function cartSource(connection: Connection): EventSource {
  const carts = connection.collection<CartDocument>(createCartModel(connection).collection.name);

  function draft(
    { _id: id, customerId, tokenHash, items, updatedAt }: CartDocument,
    at: Date,
    version: number,
  ): Draft {
    const data: EventCart = {
      id,
      customerId,
      isGuest: tokenHash !== null,
      items: items.map(({ productServiceId, quantity }) => ({ productServiceId, quantity })),
      abandonedAt: at.toISOString(),
      updatedAt: updatedAt.toISOString(),
    };
    const type = 'cart.abandoned';
    // A cart is abandoned once, whatever becomes of it afterwards.
    const _id = eventIdOf(id, 'abandoned');
    return { event: { _id, type, types: [type], at, object: id, version, follows: null, data } };
  }

  return {
    collection: carts.collectionName,
    writes: {
      operationType: 'update',
      'updateDescription.updatedFields.abandonedAt': { $type: 'date' },
    },

    async eventsOf(write) {
      if (write.operationType !== 'update') return [];
      const { abandonedAt, version } = write.updateDescription.updatedFields as Partial<CartDocument>;
      const cart = await carts.findOne({ _id: String(write.documentKey._id) });
      // It may be deleted already.
      return cart ? [draft(cart, abandonedAt!, version!)] : [];
    },

    async *missedSince(since) {
      const found = carts.find({ abandonedAt: { $gte: since } }, { sort: { abandonedAt: 1 } });
      for await (const page of pagesOf(found))
        yield page.map((cart) => draft(cart, cart.abandonedAt!, cart.version));
    },
  };
}
