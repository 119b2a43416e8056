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

export function createAuditFindingRepository(connection: Connection) {
  const findings = createAuditFindingModel(connection);

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
      for (const { finding, revision } of found) {
        const { kind, subject, expected, found: what } = finding;
        const isNew = { $in: [{ $ifNull: ['$state', 'gone'] }, ['gone', 'repaired']] };
        const now = new Date(at);
        await findings.updateOne(
          { _id: auditFindingId(finding) },
          [
            {
              $set: {
                kind,
                subject: { $literal: subject },
                expected: { $literal: expected },
                found: { $literal: what },
                revision,
                state: isCertain(finding) ? 'open' : { $cond: [isNew, 'suspected', '$state'] },
                firstSeenAt: { $cond: [isNew, now, '$firstSeenAt'] },
                lastSeenAt: now,
                closedAt: null,
                repair: null,
                runbook: `docs/failure-modes.md#${kind}`,
              },
            },
          ],
          { upsert: true, updatePipeline: true },
        );
      }
    },

    /** Lists those to look at again, by their ids. */
    unsettled: (page: { after: string | null; limit: number }) =>
      list({ state: trusted({ $in: ['suspected', 'open'] }) }, page),

    /** Lists those that are open, by their ids. */
    open: (page: { after: string | null; limit: number }) => list({ state: 'open' }, page),

    /** Lists those that were repaired since a time, by their ids. */
    repairedSince: (since: string, page: { after: string | null; limit: number }) =>
      list({ state: 'repaired', closedAt: trusted({ $gte: new Date(since) }) }, page),

    /** Says that a suspicion is true. */
    async confirm(id: string): Promise<void> {
      await findings.updateOne({ _id: id, state: 'suspected' }, { $set: { state: 'open' } });
    },

    /** Forgets a suspicion. */
    async dismiss(id: string): Promise<void> {
      await findings.deleteOne({ _id: id, state: 'suspected' });
    },

    /** Closes one that is open. @param repair what set it right */
    async close(
      id: string,
      { state, at, repair = null }: { state: 'repaired' | 'gone'; at: string; repair?: string | null },
    ): Promise<void> {
      await findings.updateOne(
        { _id: id, state: 'open' },
        { $set: { state, closedAt: new Date(at), repair } },
      );
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

function fromDocument(found: AuditFindingDocument): StoredAuditFinding {
  const { _id: id, firstSeenAt, lastSeenAt, closedAt: _closedAt, ...fields } = found;
  return {
    id,
    ...fields,
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  };
}
