import type { Connection } from 'mongoose';
import type { EventSource } from '../event-source';
import type { EventRepository, RelayRepository } from '../events.repository';
import { cartSource } from './carts.source';
import { orderSource } from './orders.source';
import { productSource } from './products.source';
import { userSource } from './users.source';

/** Returns every collection whose writes become events; one that is added here has its types in `src/domain/events.ts`. */
export async function eventSources(
  connection: Connection,
  feed: Pick<EventRepository, 'lastOf'>,
  relay: Pick<RelayRepository, 'availability'>,
): Promise<EventSource[]> {
  return [
    orderSource(connection, feed),
    await productSource(connection, feed, relay),
    cartSource(connection),
    userSource(connection, feed),
  ];
}
