import type { AmendOrder } from './amendment';
import type { ArchiveOrder, CancelOrder } from './closing';
import type { Command, KeyedCommand } from './command';
import type { ResolveCompensation, RetryCompensation } from './compensation';
import type { CorrectFulfillment, DeliverFulfillment, FulfillOrder } from './fulfillment';
import {
  MAX_EXTERNAL_REF_LENGTH,
  MAX_LINES,
  MAX_METADATA_KEYS,
  MAX_METADATA_LENGTH,
  MAX_NOTE_LENGTH,
  METADATA_KEY,
  type AddressChange,
  type OrderLine,
  type RefundedLine,
} from './order';
import type { PayOrder } from './paying';
import type { CheckPayment } from './reconciling';
import type { RefundOrder } from './refund';
import type { UndoFulfillment } from './undoing';

/** Tells whether a value has the right type and size. */
type Check = (value: unknown) => boolean;

/** What each field of a type has to be. */
export type Shape<T> = { readonly [K in keyof T]-?: Check };

const integer =
  (least: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least;
const text =
  (longest = 200): Check =>
  (value) =>
    typeof value === 'string' && value.length > 0 && characters(value) <= longest;
/** Counts code points, as the API does. */
const characters = (value: string): number => [...value].length;
const nullable =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check, least: number, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.length <= most && value.every(check);

/** An object that is stored as it is, so it has no other fields. */
function object<T>(shape: Shape<T>): Check {
  return (value) =>
    malformedField(shape, value) === null &&
    Object.keys(value as object).every((field) => Object.hasOwn(shape, field));
}

/**
 * Returns the first field of the value that is not as the shape says, or null. Fields that the shape does not have are
 * ignored: a newer API may send them.
 */
export function malformedField<T>(shape: Shape<T>, value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '(the argument)';
  const fields = Object.entries<Check>(shape);
  const malformed = fields.find(([field, check]) => !check((value as Record<string, unknown>)[field]));
  return malformed?.[0] ?? null;
}

/** More than an If-Match header of the API can have. */
const MOST_VERSIONS = 1_000;

const lines = listOf(object<OrderLine>({ productServiceId: text(), quantity: integer(1) }), 1, MAX_LINES);
const internalNote = optional(text(MAX_NOTE_LENGTH));
const flag: Check = (value) => typeof value === 'boolean';
const refundedLines = listOf(
  object<RefundedLine>({ productServiceId: text(), quantity: integer(1), restock: flag }),
  1,
  MAX_LINES,
);
const address = object<AddressChange>({
  name: optional(text()),
  line1: optional(text()),
  line2: optional(nullable(text())),
  city: optional(text()),
  region: optional(nullable(text())),
  postalCode: optional(nullable(text())),
  country: optional(text()),
});

const metadata: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length <= MAX_METADATA_KEYS &&
  Object.entries(value).every(
    ([key, entry]: [string, unknown]) =>
      METADATA_KEY.test(key) && typeof entry === 'string' && characters(entry) <= MAX_METADATA_LENGTH,
  );

const command: Shape<Command> = {
  id: text(),
  by: text(),
  requestId: text(),
  address: optional(text()),
  seenRevision: integer(0),
  ifMatch: optional(nullable(listOf(integer(0), 0, MOST_VERSIONS))),
  fingerprint: optional(text()),
  attemptId: optional(text()),
};
const keyed: Shape<KeyedCommand> = { ...command, fingerprint: text(), attemptId: text() };

/** The shapes of the arguments of the updates: anyone with access to Temporal can send one. */
export const SHAPES = {
  amend: {
    ...command,
    items: optional(lines),
    note: optional(nullable((value) => typeof value === 'string' && characters(value) <= MAX_NOTE_LENGTH)),
    shippingAddress: optional(nullable(address)),
    externalRef: optional(nullable(text(MAX_EXTERNAL_REF_LENGTH))),
    metadata: optional(nullable(metadata)),
    expectedTotal: optional(integer(0)),
  } satisfies Shape<AmendOrder>,
  cancel: {
    ...command,
    reason: nullable(text()),
    internalNote,
    items: optional(lines),
    unlessBegun: optional(flag),
  } satisfies Shape<CancelOrder>,
  fulfill: {
    ...keyed,
    items: lines,
    carrier: nullable(text()),
    trackingNumber: nullable(text()),
  } satisfies Shape<FulfillOrder>,
  deliver: { ...command, fulfillmentId: text() } satisfies Shape<DeliverFulfillment>,
  undoFulfillment: {
    ...command,
    fulfillmentId: text(),
    reason: text(),
    internalNote,
    restock: flag,
  } satisfies Shape<UndoFulfillment>,
  correctFulfillment: {
    ...command,
    fulfillmentId: text(),
    carrier: optional(nullable(text())),
    trackingNumber: optional(nullable(text())),
  } satisfies Shape<CorrectFulfillment>,
  refund: {
    ...keyed,
    amount: nullable(integer(1)),
    items: optional(refundedLines),
    reason: text(),
    internalNote,
  } satisfies Shape<RefundOrder>,
  pay: { ...keyed, paymentMethod: text() } satisfies Shape<PayOrder>,
  checkPayment: { ...command, paymentKey: text(), passed: optional(text()) } satisfies Shape<CheckPayment>,
  archive: command satisfies Shape<ArchiveOrder>,
  retryCompensation: { ...command, step: text() } satisfies Shape<RetryCompensation>,
  resolveCompensation: {
    ...command,
    step: text(),
    note: text(MAX_NOTE_LENGTH),
  } satisfies Shape<ResolveCompensation>,
};
