import { randomBytes } from 'node:crypto';
import type { ClientSession, Connection } from 'mongoose';
import { newId } from '../common/ids';
import type { AuditedChange } from '../domain/audit';
import { createAuditModel, type AuditDocument } from './audit.model';
import { privateHashOf } from './chain';

/** Writes entries of the audit log as a part of the transaction that makes the changes: neither are there without the other. */
export type RecordAudit = (
  changes: AuditedChange | readonly AuditedChange[],
  session: ClientSession,
) => Promise<void>;

export function createAuditRecorder(connection: Connection): RecordAudit {
  // As they are: Mongoose would leave out empty objects, and the hash would be another one.
  const audit = connection.collection<AuditDocument>(createAuditModel(connection).collection.name);
  return async (changes, session) => {
    const entries = [changes].flat().map(entryOf);
    if (entries.length > 0) await audit.insertMany(entries, { session });
  };
}

function entryOf({ origin, action, object, subject, changes, personal }: AuditedChange): AuditDocument {
  const at = new Date();
  const hidden = asStored({
    salt: randomBytes(16).toString('hex'),
    address: origin.address,
    changes: personal,
  });
  return {
    _id: newId('aud', at), // lists are filtered by the time in it
    at,
    actor: origin.by,
    action,
    object,
    subject,
    requestId: origin.requestId,
    changes: asStored(changes),
    private: hidden,
    privateHash: privateHashOf(hidden),
    unsealed: true,
  };
}

/** Without undefined, and with times as texts: what is hashed is what is read later. */
function asStored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
