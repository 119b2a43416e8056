import { Schema, type Connection, type Model } from 'mongoose';
import type { ProviderDispute, ProviderPaymentStatus } from '../../domain/payment';
import { modelOf } from '../../mongodb/model';

/**
 * `authorize` to `refund` are those of the interface. `require_action`: the bank asks the customer first. The others are
 * done in the sandbox's dashboard, or as time passes: an authorisation expires, a refund that was pending succeeds or one
 * fails, a dispute is opened, won or lost.
 */
export type SandboxOperationKind =
  | 'require_action'
  | 'authorize'
  | 'decline'
  | 'capture'
  | 'release'
  | 'void'
  | 'refund'
  | 'expire'
  | 'settle_refund'
  | 'fail_refund'
  | 'dispute'
  | 'win_dispute'
  | 'lose_dispute';

/** One operation on a payment. The `void` of a payment that was never authorised has the amount 0. */
export interface SandboxOperation {
  /** The idempotency key. It identifies a refund and a dispute, too. */
  key: string;
  kind: SandboxOperationKind;
  amount: number;
  /** What a final capture has released, which may be 0. */
  released?: number;
  /** Of a refund: the bank has not decided yet. */
  isPending?: boolean;
  /** The key of the refund or the dispute that it decides. */
  decides?: string;
  /** Of a dispute. */
  reason?: ProviderDispute['reason'];
  at: Date;
}

/** What the customer has to do: open a page and answer there. Both are unguessable. */
export interface SandboxAction {
  /** Part of the page's address. */
  id: string;
  /** What the answer has to repeat from the page, so that no other page can send it. */
  nonce: string;
  expiresAt: Date;
}

/**
 * One payment in the ledger of the sandbox, with amounts in minor units. At any time
 * `authorized = open + captured + voided` and `refunded + disputed <= captured`.
 */
export interface SandboxPaymentDocument {
  /** The key of the authorisation. */
  _id: string;
  reference: string;
  orderId: string;
  paymentMethod: string;
  amount: number;
  currency: string;
  status: ProviderPaymentStatus;
  authorized: number;
  open: number;
  captured: number;
  voided: number;
  /** Without what has failed. */
  refunded: number;
  /** What the bank has taken back in disputes that are open or lost. */
  disputed: number;
  declineReason: string | null;
  /** Present if the customer had to act. It stays, so that its page can tell what became of the payment. */
  action?: SandboxAction;
  operations: SandboxOperation[];
}

/** The number of requests for an operation, for the payment method that fails at first. */
export interface SandboxAttemptsDocument {
  /** The key of the operation. */
  _id: string;
  count: number;
}

/** The test switch, which is off when the document is missing. */
export interface SandboxSwitchDocument {
  _id: string;
  available: boolean;
}

const SETTINGS = { versionKey: false, autoIndex: false, autoCreate: false } as const;
const text = { type: String, required: true };
const amount = { type: Number, required: true, min: 0, validate: Number.isSafeInteger };

const operationSchema = new Schema<SandboxOperation>(
  {
    key: text,
    kind: text,
    amount,
    released: { ...amount, required: false },
    isPending: Boolean,
    decides: String,
    reason: String,
    at: { type: Date, required: true },
  },
  { _id: false },
);

const actionSchema = new Schema<SandboxAction>(
  { id: text, nonce: text, expiresAt: { type: Date, required: true } },
  { _id: false, id: false },
);

const paymentSchema = new Schema<SandboxPaymentDocument>(
  {
    _id: text,
    reference: text,
    orderId: text,
    paymentMethod: text,
    amount,
    currency: text,
    status: text,
    authorized: amount,
    open: amount,
    captured: amount,
    voided: amount,
    refunded: amount,
    disputed: amount,
    declineReason: { type: String, default: null },
    action: { type: actionSchema, required: false },
    operations: { type: [operationSchema], required: true },
  },
  { collection: 'sandbox_payments', ...SETTINGS },
);

// A key names one operation of one payment. This index keeps the key from a second payment; the condition of
// each update keeps it from a second operation of the same payment.
paymentSchema.index({ 'operations.key': 1 }, { unique: true });
// Operators look up what an order was charged.
paymentSchema.index({ orderId: 1 });
paymentSchema.index({ 'action.id': 1 }, { sparse: true });
paymentSchema.index({ 'operations.at': 1 });

const attemptsSchema = new Schema<SandboxAttemptsDocument>(
  { _id: text, count: amount },
  { collection: 'sandbox_attempts', ...SETTINGS },
);

const switchSchema = new Schema<SandboxSwitchDocument>(
  { _id: text, available: { type: Boolean, required: true } },
  { collection: 'sandbox_switches', ...SETTINGS },
);

export function createSandboxPaymentModel(connection: Connection): Model<SandboxPaymentDocument> {
  return modelOf(connection, 'SandboxPayment', paymentSchema);
}

export function createSandboxAttemptsModel(connection: Connection): Model<SandboxAttemptsDocument> {
  return modelOf(connection, 'SandboxAttempts', attemptsSchema);
}

export function createSandboxSwitchModel(connection: Connection): Model<SandboxSwitchDocument> {
  return modelOf(connection, 'SandboxSwitch', switchSchema);
}
