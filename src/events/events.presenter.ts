import { typesForCustomer, type EventType } from '../domain/events';
import type { OrderView } from '../orders/order-view';
import type { OrderPresenter } from '../orders/orders.presenter';
import type { ProductServiceView } from '../product-service/product-service.schema';
import type { Principal } from '../role/principal';
import type { UserView } from '../users/users.schema';
import type { EventDocument } from './events.model';
import type { EventCart } from './sources/carts.source';
import { orderAt } from './sources/orders.source';

/** What an event says of a user: who it is, and nothing of the person. */
export type EventUser = Pick<UserView, 'id' | 'role' | 'status' | 'createdAt'>;

/** What is stored as it is presented. */
type OtherData = ProductServiceView | EventCart | EventUser;

/** An event as the API presents it. */
export interface EventView<Data = OrderView | OtherData> {
  id: string;
  /** For ADMINs only: it tells how much happens in the shop. */
  position?: number;
  type: EventType;
  types: EventType[];
  at: string;
  object: string;
  version: number;
  follows: number | null;
  data: Data;
}

/** Who an event is presented to: all that it depends on is the role. */
export type Reader = Pick<Principal, 'role'>;

export type EventPresenter = ReturnType<typeof createEventPresenter>;

/** Presents events to the caller: those of an order with the order as the API shows it to them. */
export function createEventPresenter(presentOrder: OrderPresenter) {
  return (event: EventDocument, reader: Reader): EventView => {
    const { _id: id, position, at, object, version, follows, order, data } = event;
    const isAdmin = reader.role === 'ADMIN';
    const types = isAdmin ? event.types : typesForCustomer(event.types);
    return {
      id,
      ...(isAdmin && { position }),
      type: types[0]!,
      types,
      at: at.toISOString(),
      object,
      version,
      follows,
      data: order ? presentOrder(orderAt(event), reader as Principal) : (data as OtherData),
    };
  };
}
