import { changesBetween, type AuditedChange, type FieldChange, type Origin } from './audit';
import type { Command } from './command';
import type { Order, OrderRequest } from './order';

const ORDER_FIELDS = [
  'status',
  'paymentStatus',
  'fulfillmentStatus',
  'currency',
  'subtotal',
  'tax',
  'total',
  'cancelled',
  'captured',
  'refunded',
  'archivedAt',
] as const satisfies readonly (keyof Order)[];

const PERSONAL_FIELDS = [
  'note',
  'shippingAddress',
  'externalRef',
  'metadata',
] as const satisfies readonly (keyof Order)[];

type Entries = Readonly<Record<string, object>>;

/** What is compared of the entries of the lists of an order, each under the name of the list and its own. */
function entriesOf(order: Order | null): Entries {
  if (!order) return {};
  return Object.fromEntries([
    ...order.items.map((item, n) => {
      const { productServiceId, sku, quantity, unitPrice, total } = item;
      const { fulfilledQuantity, cancelledQuantity, refundedQuantity } = item;
      const units = { quantity, fulfilledQuantity, cancelledQuantity, refundedQuantity };
      return [`items.${n}`, { productServiceId, sku, unitPrice, total, ...units }] as const;
    }),
    ...order.fulfillments.map(({ id, items, deliveredAt, undone }) => {
      return [`fulfillments.${id}`, { items, deliveredAt, isUndone: undone !== undefined }] as const;
    }),
    ...order.refunds.map(
      ({ id, amount, status, items }) => [`refunds.${id}`, { amount, status, items }] as const,
    ),
    ...order.compensations.map(
      ({ step, kind, amount, state }) => [`compensations.${step}`, { kind, amount, state }] as const,
    ),
  ]);
}

/** The same of what has to go with the data of the customer: a carrier knows whose a parcel is. */
function personalEntriesOf(order: Order | null): Entries {
  const fulfillments =
    order?.fulfillments.filter(({ carrier, trackingNumber }) => carrier ?? trackingNumber) ?? [];
  return Object.fromEntries(
    fulfillments.map(({ id, carrier, trackingNumber }) => [
      `fulfillments.${id}`,
      { carrier, trackingNumber },
    ]),
  );
}

/** Returns what differs of the entries of the lists: of one that was there and is, only the fields that differ. */
function entryChanges(before: Entries, after: Entries): FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (!old || !now) return changesBetween(before, after, [name]);
    return changesBetween(old, now, Object.keys(now)).map((change) => {
      return { ...change, field: `${name}.${change.field}` };
    });
  });
}

function orderChange(
  before: Order | null,
  after: Order,
  { origin, action }: Pick<AuditedChange, 'origin' | 'action'>,
): AuditedChange | null {
  const changes = [
    ...changesBetween(before, after, ORDER_FIELDS),
    ...entryChanges(entriesOf(before), entriesOf(after)),
  ];
  const personal = [
    ...changesBetween(before, after, PERSONAL_FIELDS),
    ...entryChanges(personalEntriesOf(before), personalEntriesOf(after)),
  ];
  if (changes.length + personal.length === 0) return null;
  return { origin, action, object: after.id, subject: after.customerId, changes, personal };
}

/** By the beginning of the ids of their commands. */
const ACTIONS: Readonly<Record<string, string>> = {
  amd: 'order.amend',
  arc: 'order.archive',
  can: 'order.cancel',
  chk: 'order.check_payment',
  cor: 'order.correct_fulfillment',
  dlv: 'order.deliver',
  ful: 'order.fulfill',
  pay: 'order.pay',
  ref: 'order.refund',
  set: 'order.resolve_compensation',
  und: 'order.undo_fulfillment',
};

/**
 * Returns the origin of a command, if it is to be audited: those of the staff are, and those that say where they come from.
 * What the system and customers do otherwise is in the order's own history.
 */
export function auditedOrigin(
  { customerId }: Pick<Order, 'customerId'>,
  { by, requestId, address }: Pick<Command, 'by' | 'requestId' | 'address'>,
): Origin | null {
  const isNobodys = by === customerId || by === 'system' || by === 'provider';
  return isNobodys && address === undefined ? null : { by, requestId, address: address ?? null };
}

/**
 * Returns what the audit log has to tell of a write: the change that the command makes which the write answers. Null if it
 * answers none, turns it down, changes nothing, or is not to be audited.
 * @param command the one that is being carried out; one that waited for a payment has left its origin with the intention
 */
export function commandAudit(order: Order, next: Order, command?: Command): AuditedChange | null {
  const answer = next.commands.at(-1);
  if (!answer || answer.error || answer.revision !== next.revision) return null;
  const { intention } = order;
  const isIntended = intention?.command.id === answer.id;
  const origin = isIntended ? intention.origin : command && auditedOrigin(order, command);
  if (!origin) return null;
  return orderChange(order, next, { origin, action: ACTIONS[answer.id.slice(0, 3)] ?? 'order.change' });
}

/** Returns what the audit log has to tell of a new order; null if the customer has placed it. */
export function placementAudit(
  { placedBy: by, requestId, address, customerId }: OrderRequest,
  order: Order,
): AuditedChange | null {
  const origin = auditedOrigin({ customerId }, { by, requestId, address });
  return origin && orderChange(null, order, { origin, action: 'order.place' });
}
