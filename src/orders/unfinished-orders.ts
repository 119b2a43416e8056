import { trusted, type QueryFilter } from 'mongoose';
import type { OrderPosition } from './order-filter';
import { UNFINISHED, type OrderDocument } from './orders.model';

/**
 * Orders that nobody has finished: those that are `pending`, and those with an `obligation` to the payment service or the
 * customer, which have an index of their own.
 */
export type Unfinished = 'pending' | 'obligation';

interface UnfinishedQuery {
  filter: QueryFilter<OrderDocument>;
  sort: Record<string, 1>;
  hint: string;
}

/** Returns how MongoDB finds the orders, oldest first, that were placed before a time and may be stuck since then. */
export function unfinishedQuery(
  which: Unfinished,
  { before, after }: { before: Date; after?: OrderPosition },
): UnfinishedQuery {
  const created: QueryFilter<OrderDocument>[] = [
    { createdAt: trusted({ $lte: before, ...(after && { $gte: after.at }) }) },
    ...(after ? [{ $nor: [{ createdAt: after.at, _id: trusted({ $lte: after.id }) }] }] : []),
  ];
  const kind = which === 'pending' ? pending() : withObligation(before);
  return {
    filter: { $and: [...kind, ...created] },
    sort: { createdAt: 1, _id: 1 },
    hint: which === 'pending' ? 'listed_by_status' : 'unfinished',
  };
}

function pending(): QueryFilter<OrderDocument>[] {
  return [{ archivedAt: null, status: 'pending' }];
}

/** Those that are pending are found as such. What an operator has settled stays on an order. */
function withObligation(before: Date): QueryFilter<OrderDocument>[] {
  const owed = { state: trusted({ $ne: 'resolved' }), since: trusted({ $lte: before }) };
  return [
    { $or: UNFINISHED.map((field) => ({ [field]: trusted({ $gt: new Date(0) }) })) },
    {
      $or: [
        { 'intention.since': trusted({ $lte: before }) },
        { compensations: trusted({ $elemMatch: owed }) },
        { payBy: trusted({ $gt: new Date(0) }) },
      ],
    },
    { status: trusted({ $ne: 'pending' }) },
  ] as QueryFilter<OrderDocument>[];
}
