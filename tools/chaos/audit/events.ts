import type { Snapshot, StoredEvent, StoredOrder } from './documents';
import type { Findings } from './finding';

/** What of an order clients see, and no write without a new version changes. */
export function visibleOf(order: StoredOrder) {
  const {
    version,
    status,
    paymentStatus,
    fulfillmentStatus,
    total,
    captured,
    refunded,
    cancelled = 0,
  } = order;
  return {
    version,
    status,
    paymentStatus,
    fulfillmentStatus,
    total,
    cancelled,
    captured,
    refunded,
    items: order.items.map((item) => ({
      productId: item.productServiceId,
      quantity: item.quantity,
      fulfilled: item.fulfilledQuantity,
      cancelled: item.cancelledQuantity ?? 0,
      refunded: item.refundedQuantity ?? 0,
    })),
    history: order.statusHistory.map(({ axis, from, to }) => `${axis}: ${from} to ${to}`),
  };
}

export type Visible = ReturnType<typeof visibleOf>;

/** Judges the events of an order, oldest first: one for each version, the last of which is the order. */
export function auditOrderEvents(
  order: StoredOrder,
  events: readonly StoredEvent[],
  findings: Findings,
): void {
  const versions = events.map(({ version }) => version);
  const expected = Array.from({ length: order.version }, (_, n) => n + 1);
  findings.same('event_missing', order._id, expected, versions);
  let previous: StoredEvent | undefined;
  for (const event of events) {
    const { _id, version, follows } = event;
    findings.same('event_differs', _id, `evt_${order._id}_${version}`, _id);
    findings.same('event_differs', _id, { follows: previous?.version ?? null }, { follows });
    if (event.order) auditContent(order, event as Required<StoredEvent>, findings);
    previous = event;
  }
}

function auditContent(order: StoredOrder, event: Required<StoredEvent>, findings: Findings): void {
  const [now, then] = [visibleOf(order), visibleOf(event.order)];
  findings.same('event_differs', event._id, event.version, then.version);
  if (event.version === order.version) return findings.same('event_differs', event._id, now, then);
  // A history is only ever added to.
  findings.same('event_differs', event._id, now.history.slice(0, then.history.length), then.history);
}

/** Judges the places of the feed: one after the other up to that which the relay has given last. */
export async function auditFeed(snapshot: Snapshot, findings: Findings): Promise<void> {
  let last: number | undefined;
  // Only as many as can be read: a gap is told once.
  for await (const { _id, position } of snapshot.find<StoredEvent>('events', {}, { position: 1 })) {
    if (last !== undefined && position !== last + 1)
      findings.add('event_missing', _id, { position: last + 1 }, { position });
    last = position;
  }
  const [relay] = await snapshot.find<{ position: number }>('relay').toArray();
  if (relay)
    findings.same('event_missing', 'the feed', { position: relay.position }, { position: last ?? 0 });
}
