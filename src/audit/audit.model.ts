import { Schema, type Connection, type Model } from 'mongoose';
import { modelOf } from '../mongodb/model';
import type { FieldChange } from '../domain/audit';

/** What of an entry goes when the data of the customer are erased. The chain has its hash, so it still holds without. */
export interface PrivatePart {
  /** Keeps the rest from being guessed by its hash. */
  salt: string;
  address: string | null;
  changes: FieldChange[];
}

/** An entry of the audit log. Nothing changes it once it is sealed, but that its private part may be erased. */
export interface AuditDocument {
  _id: string;
  at: Date;
  /** The id of a user or API key, or the name of a program of ours. */
  actor: string;
  action: string;
  /** The id of what was changed. */
  object: string;
  /** The id of the customer whose it is. */
  subject: string | null;
  requestId: string | null;
  changes: FieldChange[];
  private?: PrivatePart;
  privateHash: string;
  /** Present until the entry has its place in the chain of a day. */
  unsealed?: true;
  /** The day of the chain, such as `2026-01-31`, and the place in it, from 1. */
  day?: string;
  position?: number;
  /** Of the entry and of the hash before it, in hexadecimal. */
  hash?: string;
}

/** The chain of a day. It stays when its entries are too old to be kept. */
export interface AuditDayDocument {
  _id: string;
  /** How many entries it has. */
  entries: number;
  /** The last hash of the day before. */
  previous: string;
  /** The last hash. */
  hash: string;
  /** When its entries were removed, since they were too old. */
  removedAt?: Date;
}

const SETTINGS = { versionKey: false, autoIndex: false, autoCreate: false } as const;
const text = { type: String, required: true };

// Entries are written and read as they are, so the schemas only say what there is, and which indexes.
const auditSchema = new Schema<AuditDocument>(
  {
    _id: text,
    at: { type: Date, required: true },
    actor: text,
    action: text,
    object: text,
    subject: String,
    requestId: String,
    changes: [Schema.Types.Mixed],
    private: Schema.Types.Mixed,
    privateHash: text,
    unsealed: Boolean,
    day: String,
    position: Number,
    hash: String,
  },
  { collection: 'audit', ...SETTINGS },
);

// Lists are newest first: ids sort by time.
auditSchema.index({ actor: 1, _id: -1 });
auditSchema.index({ object: 1, _id: -1 });
// Finds what is about a customer: to tell them, and to erase it.
auditSchema.index({ subject: 1, _id: -1 }, { partialFilterExpression: { subject: { $gt: '' } } });
// Finds what is left to seal, which is little.
auditSchema.index({ unsealed: 1, _id: 1 }, { partialFilterExpression: { unsealed: true } });
// Two entries at one place would be two chains.
auditSchema.index({ day: 1, position: 1 }, { unique: true, partialFilterExpression: { day: { $gt: '' } } });

const auditDaySchema = new Schema<AuditDayDocument>(
  {
    _id: text,
    entries: { type: Number, required: true },
    previous: { type: String },
    hash: text,
    removedAt: Date,
  },
  { collection: 'audit_days', ...SETTINGS },
);

export function createAuditModel(connection: Connection): Model<AuditDocument> {
  return modelOf(connection, 'Audit', auditSchema);
}

export function createAuditDayModel(connection: Connection): Model<AuditDayDocument> {
  return modelOf(connection, 'AuditDay', auditDaySchema);
}
