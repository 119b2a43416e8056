import { trusted, type Connection } from 'mongoose';
import { findingId, type Finding, type FindingKind } from '../../domain/findings';
import type { PaymentRef } from '../../domain/payment';
import { createFindingModel, type FindingDocument } from './findings.model';

export type FindingRepository = ReturnType<typeof createFindingRepository>;

/** A finding with what is needed to look at it again. */
export interface StoredFinding extends Finding {
  id: string;
  payment: PaymentRef;
  /** ISO 8601. */
  since: string;
  firstSeenAt: string;
  lastSeenAt: string;
  runbook: string;
}

export function createFindingRepository(connection: Connection) {
  const findings = createFindingModel(connection);
  return {
    /** Adds what was found in a payment, or opens again what was found before. */
    async record(
      found: readonly Finding[],
      { orderId, ...payment }: PaymentRef,
      { at, since }: { at: string; since: string },
    ): Promise<void> {
      const { key, reference, amount, currency, paymentMethod } = payment;
      const named = { orderId, payment: { key, reference, amount, currency, paymentMethod } };
      for (const { kind, subject, there, here } of found) {
        const seen = { kind, state: 'open' as const, there, here, lastSeenAt: new Date(at), closedAt: null };
        const first = { firstSeenAt: new Date(at), since: new Date(since), runbook: runbookOf(kind) };
        await findings.updateOne(
          { _id: findingId({ kind, subject }) },
          { $set: { ...seen, ...named }, $setOnInsert: first },
          { upsert: true },
        );
      }
    },

    /** Lists those that are open, by their ids. */
    async open({ after, limit }: { after: string | null; limit: number }): Promise<StoredFinding[]> {
      const filter = { state: 'open' as const, _id: trusted({ $gt: after ?? '' }) };
      const found = await findings.find(filter).sort({ _id: 1 }).limit(limit).lean<FindingDocument[]>();
      return found.map(fromDocument);
    },

    /** Closes those of a payment that are open, but for these. Returns how many. */
    async close(
      paymentKey: string,
      left: readonly Finding[],
      { state, at }: { state: 'repaired' | 'gone'; at: string },
    ): Promise<number> {
      const filter = {
        state: 'open' as const,
        'payment.key': paymentKey,
        _id: trusted({ $nin: left.map(findingId) }),
      };
      const closed = { $set: { state, closedAt: new Date(at) } };
      return (await findings.updateMany(filter, closed)).modifiedCount;
    },

    /** Returns how many are open, by their kinds. */
    async countOpen(): Promise<Partial<Record<FindingKind, number>>> {
      const counted = await findings.aggregate<{ _id: FindingKind; count: number }>([
        { $match: { state: 'open' } },
        { $group: { _id: '$kind', count: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ]);
      return Object.fromEntries(counted.map(({ _id, count }) => [_id, count]));
    },
  };
}

function runbookOf(kind: FindingKind): string {
  return `docs/failure-modes.md#${kind}`;
}

function fromDocument(found: FindingDocument): StoredFinding {
  const { _id: id, orderId, payment, kind, there, here, since, firstSeenAt, lastSeenAt, runbook } = found;
  return {
    id,
    kind,
    subject: id.slice(kind.length + 1),
    there,
    here,
    payment: { ...payment, orderId },
    since: since.toISOString(),
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    runbook,
  };
}
