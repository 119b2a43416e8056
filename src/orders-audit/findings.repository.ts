import { trusted, type Connection } from 'mongoose';
import {
  auditFindingId,
  isCertain,
  type AuditFinding,
  type AuditFindingKind,
} from '../domain/audit-findings';
import { createAuditFindingModel, type AuditFindingDocument } from './findings.model';

export type AuditFindingRepository = ReturnType<typeof createAuditFindingRepository>;

/** A finding with what is needed to look at it again. */
export interface StoredAuditFinding extends AuditFinding {
  id: string;
  state: AuditFindingDocument['state'];
  revision: number | null;
  /** ISO 8601. */
  firstSeenAt: string;
  lastSeenAt: string;
  repair: string | null;
  runbook: string;
}

/** What was found, and the revision of the order then. */
export interface Found {
  finding: AuditFinding;
  revision: number | null;
}

interface Closing {
  state: 'repaired' | 'gone';
  at: string;
  /** The run that closes it. */
  by: string;
  repair?: string | null;
}

interface CountOptions {
  kind: string;
  run: string;
  limit: number;
}

const UNSETTLED = trusted({ $in: ['suspected', 'open'] as AuditFindingDocument['state'][] });

export function createAuditFindingRepository(connection: Connection) {
  const findings = createAuditFindingModel(connection);
  const documents = connection.collection<AuditFindingDocument>(findings.collection.name);

  async function list(
    filter: object,
    { after, limit }: { after: string | null; limit: number },
  ): Promise<StoredAuditFinding[]> {
    const found = await findings
      .find({ ...filter, _id: trusted({ $gt: after ?? '' }) })
      .sort({ _id: 1 })
      .limit(limit)
      .lean<AuditFindingDocument[]>();
    return found.map(fromDocument);
  }

  return {
    /** Adds what was found. What may be a difference of the moment is suspected, unless it is open already. */
    async record(found: readonly Found[], at: string): Promise<void> {
      if (found.length === 0) return;
      const writes = found.map((one) => ({
        updateOne: { filter: { _id: auditFindingId(one.finding) }, update: [seen(one, at)], upsert: true },
      }));
      await documents.bulkWrite(writes, { ordered: false });
    },

    /** Returns one that is suspected or open, or null. */
    async findUnsettled(id: string): Promise<StoredAuditFinding | null> {
      const found = await findings.findOne({ _id: id, state: UNSETTLED }).lean<AuditFindingDocument>();
      return found && fromDocument(found);
    },

    /** Lists those to look at again, by their ids. */
    unsettled: (page: { after: string | null; limit: number }) => list({ state: UNSETTLED }, page),

    /** Lists those that are open, by their ids. */
    open: (page: { after: string | null; limit: number }) => list({ state: 'open' }, page),

    /** Lists those that a run has repaired, by their ids. */
    repairedBy: (run: string, page: { after: string | null; limit: number }) =>
      list({ closedBy: run, state: 'repaired' }, page),

    /** Returns one of these kinds that is suspected or open, or undefined. */
    async oneOf(kinds: readonly AuditFindingKind[]): Promise<string | undefined> {
      for (const kind of kinds) {
        const found = await findings
          .findOne({ state: UNSETTLED, _id: trusted(idsOf(kind)) }, { _id: 1 })
          .lean();
        if (found) return found._id;
      }
      return undefined;
    },

    /**
     * Says that it is as it was found again, and open.
     * @returns it as it is now; null if another run has settled it since it was read, or found it anew
     */
    async confirm(finding: StoredAuditFinding, again: Found, at: string): Promise<StoredAuditFinding | null> {
      const { expected, found } = again.finding;
      const seenAgain = { expected, found, revision: again.revision, state: 'open' as const };
      const change = { $set: { ...seenAgain, lastSeenAt: new Date(at) } };
      const { matchedCount } = await findings.updateOne(asRead(finding), change);
      return matchedCount === 1 ? { ...finding, ...seenAgain, lastSeenAt: at } : null;
    },

    /** Forgets a suspicion. Returns false if another run has settled it since it was read, or found it anew. */
    async dismiss(finding: StoredAuditFinding): Promise<boolean> {
      return (await findings.deleteOne(asRead(finding))).deletedCount === 1;
    },

    /**
     * Closes one that is open. Returns false if another run has settled it since it was read, or found it anew.
     * @param repair what set it right
     */
    async close(finding: StoredAuditFinding, { state, at, by, repair = null }: Closing): Promise<boolean> {
      const change = { $set: { state, closedAt: new Date(at), closedBy: by, repair } };
      return (await findings.updateOne(asRead(finding), change)).matchedCount === 1;
    },

    /** Returns how many findings beyond an id a run has closed. */
    async countClosedBy(run: string, after: string | null): Promise<{ repaired: number; gone: number }> {
      const beyond = { closedBy: run, _id: trusted({ $gt: after ?? '' }) };
      const [repaired, gone] = await Promise.all(
        (['repaired', 'gone'] as const).map((state) => findings.countDocuments({ ...beyond, state })),
      );
      return { repaired: repaired!, gone: gone! };
    },

    /** Returns how many of a kind, up to an id, are open or were closed by a run; that many at most. */
    async countUpTo(id: string, { kind, run, limit }: CountOptions): Promise<number> {
      const _id = trusted({ ...idsOf(kind), $lte: id });
      const isOpenOrClosed = [{ state: 'open' as const }, { closedBy: run }];
      return findings.countDocuments({ _id, $or: isOpenOrClosed }).limit(limit);
    },

    /** Returns how many are open, by their kinds. */
    async countOpen(): Promise<Partial<Record<AuditFindingKind, number>>> {
      const counted = await findings.aggregate<{ _id: AuditFindingKind; count: number }>([
        { $match: { state: 'open' } },
        { $group: { _id: '$kind', count: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ]);
      return Object.fromEntries(counted.map(({ _id, count }) => [_id, count]));
    },
  };
}

/** Returns how a document is changed by what was found. */
function seen({ finding, revision }: Found, at: string) {
  const { kind, subject, expected, found } = finding;
  const isNew = { $in: [{ $ifNull: ['$state', 'gone'] }, ['gone', 'repaired']] };
  const now = new Date(at);
  return {
    $set: {
      kind,
      subject: { $literal: subject },
      expected: { $literal: expected },
      found: { $literal: found },
      revision,
      state: isCertain(finding) ? 'open' : { $cond: [isNew, 'suspected', '$state'] },
      firstSeenAt: { $cond: [isNew, now, '$firstSeenAt'] },
      lastSeenAt: now,
      closedAt: null,
      closedBy: null,
      repair: null,
      runbook: `docs/failure-modes.md#${kind}`,
    },
  };
}

/** The condition of a write that believes what was read. */
function asRead({ id: _id, state, lastSeenAt }: StoredAuditFinding) {
  return { _id, state, lastSeenAt: new Date(lastSeenAt) };
}

/** The range of the ids of a kind. */
function idsOf(kind: string) {
  return { $gte: `${kind}:`, $lt: `${kind};` };
}

function fromDocument(found: AuditFindingDocument): StoredAuditFinding {
  const { _id: id, firstSeenAt, lastSeenAt, closedAt: _closedAt, closedBy: _closedBy, ...fields } = found;
  return {
    id,
    ...fields,
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  };
}
