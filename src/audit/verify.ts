import type { Connection, mongo } from 'mongoose';
import {
  createAuditDayModel,
  createAuditModel,
  type AuditDayDocument,
  type AuditDocument,
} from './audit.model';
import { BEGINNING, dayOf, hashOf, privateHashOf } from './chain';

/** What does not fit the chain. */
export interface Flaw {
  day: string;
  /** The id of the entry, if it is one. */
  entry?: string;
  message: string;
}

export interface Verification {
  days: number;
  entries: number;
  /** Entries whose private part was erased. */
  erased: number;
  /** Entries that are too new to have a place in the chain. */
  unsealed: number;
  /** The last hash, if there is any: what an earlier one is compared with. */
  last: { day: string; hash: string } | null;
  flaws: Flaw[];
}

export interface VerifyOptions {
  /** Hashes that the log has named, each of which has to be in the chain. */
  known?: readonly string[];
  /** Days before this time may have been removed, and no others. */
  keptSince?: Date;
}

/** What is neither sealed nor waits to be, or both: it was written by something else, or changed. */
const OUTSIDE: mongo.Filter<AuditDocument> = {
  $nor: [
    { unsealed: true, day: { $exists: false } },
    { unsealed: { $exists: false }, day: { $type: 'string', $gt: '' } },
  ],
};

/** Reads the whole audit log and looks for entries that were removed, changed or inserted since they were sealed. */
export async function verifyAuditLog(
  connection: Connection,
  { known = [], keptSince }: VerifyOptions = {},
): Promise<Verification> {
  const audit = connection.collection<AuditDocument>(createAuditModel(connection).collection.name);
  const days = connection.collection<AuditDayDocument>(createAuditDayModel(connection).collection.name);
  const result: Verification = { days: 0, entries: 0, erased: 0, unsealed: 0, last: null, flaws: [] };
  const missing = new Set(known);
  const withEntries = new Set((await audit.distinct('day', { day: { $gt: '' } })) as string[]);
  let previous = BEGINNING;

  for await (const day of days.find().sort({ _id: 1 })) {
    const flaw = (message: string, entry?: string) =>
      result.flaws.push({ day: day._id, message, ...(entry && { entry }) });
    result.days++;
    withEntries.delete(day._id);
    if (day.previous !== previous) flaw('The chain does not begin where that of the day before ended.');
    if (!day.removedAt) await verifyDay(day, flaw);
    else if (keptSince && day._id >= dayOf(keptSince))
      flaw('The entries were removed before AUDIT_RETENTION was over.');
    previous = day.hash;
    missing.delete(day.hash);
    result.last = { day: day._id, hash: day.hash };
  }
  for (const day of withEntries) result.flaws.push({ day, message: 'The chain of this day is missing.' });
  for (const hash of missing)
    result.flaws.push({ day: 'unknown', message: `The hash ${hash} is not in the chain.` });
  result.unsealed = await audit.countDocuments({ unsealed: true });
  for await (const { _id: entry } of audit.find(OUTSIDE, { projection: { _id: 1 } }))
    result.flaws.push({
      day: 'unknown',
      entry,
      message: 'It neither is in the chain nor waits for a place in it.',
    });
  return result;

  async function verifyDay(
    day: AuditDayDocument,
    flaw: (message: string, entry?: string) => void,
  ): Promise<void> {
    let position = 0;
    let before = day.previous;
    for await (const entry of audit.find({ day: day._id }).sort({ day: 1, position: 1 })) {
      result.entries++;
      const place = entry.position!;
      if (place !== position + 1) flaw(`Missing: ${holeOf(position + 1, place - 1)}.`);
      else if (hashOf(before, entry) !== entry.hash)
        flaw('It was changed, or is not the one that was here.', entry._id);
      if (!entry.private) result.erased++;
      else if (privateHashOf(entry.private) !== entry.privateHash)
        flaw('Its address or personal values were changed.', entry._id);
      position = place;
      before = entry.hash!;
      missing.delete(before);
    }
    if (position < day.entries) flaw(`Missing: ${holeOf(position + 1, day.entries)}.`);
    else if (position > day.entries || before !== day.hash)
      flaw('The chain ends otherwise than it was sealed.');
  }
}

function holeOf(first: number, last: number): string {
  return first >= last ? `entry ${first}` : `entries ${first} to ${last}`;
}
