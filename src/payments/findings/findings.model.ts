import { Schema, type Connection, type Model } from 'mongoose';
import type { FindingKind, FindingSide } from '../../domain/findings';
import { modelOf } from '../../mongodb/model';

/** A difference between an order and the payment service that a reconciliation has found. */
export interface FindingDocument {
  /** Its kind and its subject. */
  _id: string;
  kind: FindingKind;
  /** `repaired`: a reconciliation has set it right; `gone`: it was not there any more. */
  state: 'open' | 'repaired' | 'gone';
  orderId: string;
  /** By this, the payment service is asked again. */
  payment: {
    key: string;
    reference: string | null;
    amount: number;
    currency: string;
    paymentMethod: string;
  };
  /** What the payment service has, in minor units; null if it has nothing. */
  there: FindingSide | null;
  /** What the order has; null if it has nothing. */
  here: FindingSide | null;
  /** When the payment was made, or the order last changed. */
  since: Date;
  firstSeenAt: Date;
  lastSeenAt: Date;
  /** When it ceased to be open. */
  closedAt: Date | null;
  /** Where it is said what to do about it. */
  runbook: string;
}

const text = { type: String, required: true };
const amount = { type: Number, required: true };
const time = { type: Date, required: true };
const side = {
  type: new Schema<FindingSide>({ amount, currency: text, status: text }, { _id: false }),
  default: null,
};

const findingSchema = new Schema<FindingDocument>(
  {
    _id: text,
    kind: text,
    state: text,
    orderId: text,
    payment: {
      type: new Schema(
        {
          key: text,
          reference: { type: String, default: null },
          amount,
          currency: text,
          paymentMethod: text,
        },
        { _id: false },
      ),
      required: true,
    },
    there: side,
    here: side,
    since: time,
    firstSeenAt: time,
    lastSeenAt: time,
    closedAt: { type: Date, default: null },
    runbook: text,
  },
  { collection: 'reconciliation_findings', versionKey: false, autoIndex: false, autoCreate: false },
);

// Those that are open are looked at by each run.
findingSchema.index({ state: 1, _id: 1 });
findingSchema.index({ 'payment.key': 1 });

export function createFindingModel(connection: Connection): Model<FindingDocument> {
  return modelOf(connection, 'ReconciliationFinding', findingSchema);
}
