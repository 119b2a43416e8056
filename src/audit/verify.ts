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

/** How long an entry may wait for its place, in milliseconds: a Schedule gives it one every minute. */
const MAX_UNSEALED_MS = 3_600_000;
/** How long removing the entries of days may take, which are said to be removed before, in milliseconds. */
const MAX_REMOVAL_MS = 3_600_000;

/**
 * Reads the whole audit log and looks for entries that were removed, changed or inserted since they were sealed. Entries may
 * be sealed or become too old meanwhile.
 */
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

  for (const { _id: name } of await days.find({}, { projection: { _id: 1 }, sort: { _id: 1 } }).toArray()) {
    const { day, found } = await verifyAsItStands(name);
    result.days++;
    result.entries += found.entries;
    result.erased += found.erased;
    const hasEntries = withEntries.delete(name);
    if (!day) continue; // the chain of the next day shows it
    const flaw = (message: string) => result.flaws.push({ day: name, message });
    if (day.previous !== previous) flaw('The chain does not begin where that of the day before ended.');
    if (day.removedAt && keptSince && name >= dayOf(keptSince))
      flaw('The entries were removed before AUDIT_RETENTION was over.');
    if (day.removedAt && hasEntries && day.removedAt.getTime() < Date.now() - MAX_REMOVAL_MS)
      flaw('Entries were added after those of this day were removed.');
    if (day.hash === day.previous) flaw('It adds nothing to the chain: it was inserted.');
    result.flaws.push(...found.flaws);
    previous = day.hash;
    for (const hash of [...found.hashes, day.hash]) missing.delete(hash);
    result.last = { day: name, hash: day.hash };
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
  const [oldest] = await audit.find({ unsealed: true }, { sort: { _id: 1 }, limit: 1 }).toArray();
  if (oldest && oldest.at.getTime() < Date.now() - MAX_UNSEALED_MS)
    result.flaws.push({ day: dayOf(oldest.at), entry: oldest._id, message: NOT_SEALED });
  return result;

  /** Returns what is found of a day, and how it ended then: if that changes meanwhile, it is read again. */
  async function verifyAsItStands(
    name: string,
  ): Promise<{ day: AuditDayDocument | null; found: VerifiedDay }> {
    for (let day = await days.findOne({ _id: name }); ;) {
      const found = day && !day.removedAt ? await verifyDay(day) : NOTHING;
      if (found.flaws.length === 0) return { day, found };
      const now = await days.findOne({ _id: name });
      if (now?.hash === day?.hash && now?.removedAt?.getTime() === day?.removedAt?.getTime())
        return { day, found };
      day = now;
    }
  }

  async function verifyDay(day: AuditDayDocument): Promise<VerifiedDay> {
    const found: VerifiedDay = { entries: 0, erased: 0, hashes: [], flaws: [] };
    const flaw = (message: string, entry?: string) =>
      found.flaws.push({ day: day._id, message, ...(entry && { entry }) });
    let position = 0;
    let before = day.previous;
    for await (const entry of audit.find({ day: day._id }).sort({ day: 1, position: 1 })) {
      found.entries++;
      const place = entry.position!;
      if (place !== position + 1) flaw(`Missing: ${holeOf(position + 1, place - 1)}.`);
      else if (hashOf(before, entry) !== entry.hash)
        flaw('It was changed, or is not the one that was here.', entry._id);
      if (!entry.private) found.erased++;
      else if (privateHashOf(entry.private) !== entry.privateHash)
        flaw('Its address or personal values were changed.', entry._id);
      position = place;
      before = entry.hash!;
      if (missing.has(before)) found.hashes.push(before);
    }
    if (position < day.entries) flaw(`Missing: ${holeOf(position + 1, day.entries)}.`);
    else if (position > day.entries || before !== day.hash)
      flaw('The chain ends otherwise than it was sealed.');
    return found;
  }
}

interface VerifiedDay extends Pick<Verification, 'entries' | 'erased' | 'flaws'> {
  /** Those of the known hashes that it has. */
  hashes: string[];
}

const NOTHING: VerifiedDay = { entries: 0, erased: 0, hashes: [], flaws: [] };

const NOT_SEALED =
  'It has waited for its place in the chain for more than an hour, and could be changed unseen: look at the Schedule of ' +
  'the audit log in Temporal.';

function holeOf(first: number, last: number): string {
  return first >= last ? `entry ${first}` : `entries ${first} to ${last}`;
}
