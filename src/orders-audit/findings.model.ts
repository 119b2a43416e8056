import { Schema, type Connection, type Model } from 'mongoose';
import type { AuditFindingKind } from '../domain/audit-findings';
import { modelOf } from '../mongodb/model';

/** Damage that an audit of the orders has found. */
export interface AuditFindingDocument {
  /** Its kind and its subject. */
  _id: string;
  kind: AuditFindingKind;
  /** The id of the product, the order or the workflow that it is about. */
  subject: string;
  /**
   * `suspected` until it is found again later in the same run; `repaired`: an audit has set it right; `gone`: it was not
   * there any more.
   */
  state: 'suspected' | 'open' | 'repaired' | 'gone';
  expected: string;
  found: string;
  /** The revision of the order when it was found; null if it has none. */
  revision: number | null;
  firstSeenAt: Date;
  lastSeenAt: Date;
  /** When it ceased to be open. */
  closedAt: Date | null;
  /** What an audit did to set it right; null if nothing. */
  repair: string | null;
  /** The run that closed it, see `auditRunName`. */
  closedBy: string | null;
  /** Where it is said what to do about it. */
  runbook: string;
}

/** How long a finding is kept once it is closed, in seconds: 90 days. */
const KEPT_S = 90 * 86_400;

const text = { type: String, required: true };
const time = { type: Date, required: true };

const auditFindingSchema = new Schema<AuditFindingDocument>(
  {
    _id: text,
    kind: text,
    subject: text,
    state: text,
    expected: text,
    found: text,
    revision: { type: Number, default: null },
    firstSeenAt: time,
    lastSeenAt: time,
    closedAt: { type: Date, default: null },
    repair: { type: String, default: null },
    closedBy: { type: String, default: null },
    runbook: text,
  },
  { collection: 'orders_audit_findings', versionKey: false, autoIndex: false, autoCreate: false },
);

// Those that are suspected or open are looked at by each run.
auditFindingSchema.index({ state: 1, _id: 1 });
// Those that a run has repaired are told at its end.
auditFindingSchema.index(
  { closedBy: 1, _id: 1 },
  { name: 'closed_by', partialFilterExpression: { closedBy: { $gt: '' } } },
);
auditFindingSchema.index({ closedAt: 1 }, { name: 'expiry', expireAfterSeconds: KEPT_S });

export function createAuditFindingModel(connection: Connection): Model<AuditFindingDocument> {
  return modelOf(connection, 'OrdersAuditFinding', auditFindingSchema);
}
