import { trusted, type QueryFilter } from 'mongoose';
import type { Order, OrderState } from '../domain/order';
import { tagOf, type OrderDocument } from './orders.model';

/** Which orders a list has. An order has to match every filter, and one of the states that a filter names. */
export interface OrderFilter extends Partial<Record<keyof OrderState, string[]>> {
  /** One, or any of several. */
  customerId?: string | readonly string[];
  number?: string;
  externalRef?: string;
  trackingNumber?: string;
  sku?: string;
  metadata?: Record<string, string>;
  /** Matches orders created at or after this time. */
  from?: Date;
  /** Matches orders created before this time. */
  to?: Date;
  /** Matches orders changed at or after this time; the oldest change then comes first. */
  updatedFrom?: Date;
  /** Matches orders changed before this time; the oldest change then comes first. */
  updatedTo?: Date;
  /** Only archived orders instead of only those that are not. */
  archived?: boolean;
}

/** What a list is sorted by: the newest order first, or the oldest change first for programs that follow changes. */
export type OrderSort = 'createdAt' | 'updatedAt';

export function sortOf({ updatedFrom, updatedTo }: OrderFilter): OrderSort {
  return updatedFrom || updatedTo ? 'updatedAt' : 'createdAt';
}

/** The place of an order in a list: the next page begins after it. */
export interface OrderPosition {
  /** The time that the list is sorted by. */
  at: Date;
  id: string;
}

export function positionIn(sort: OrderSort, order: Order): OrderPosition {
  return { at: new Date(order[sort]), id: order.id };
}

/** How MongoDB finds the orders of a list, in their order. */
export interface OrderQuery {
  filter: QueryFilter<OrderDocument>;
  sort: Record<string, 1 | -1>;
  /** The name of the index, where MongoDB does not find the best one. */
  hint: { hint?: string };
}

const ARCHIVED = trusted({ $gt: new Date(0) });

export function orderQuery(filter: OrderFilter, after?: OrderPosition): OrderQuery {
  const sort = sortOf(filter);
  const direction = sort === 'createdAt' ? -1 : 1;
  const conditions: QueryFilter<OrderDocument>[] = [
    { archivedAt: filter.archived ? ARCHIVED : null },
    ...equalities(filter),
    ...during('createdAt', filter.from, filter.to),
    ...during('updatedAt', filter.updatedFrom, filter.updatedTo),
    ...(after ? beyond(sort, after) : []),
  ];
  return {
    filter: { $and: conditions },
    sort: namesOne(filter) ? {} : { [sort]: direction, _id: direction },
    hint: hintFor(filter, sort),
  };
}

/** Whether at most one order matches, which needs no sorting. */
function namesOne({ number, customerId, externalRef }: OrderFilter): boolean {
  return number !== undefined || (typeof customerId === 'string' && externalRef !== undefined);
}

function equalities(filter: OrderFilter): QueryFilter<OrderDocument>[] {
  const { customerId, number, externalRef, sku, trackingNumber, metadata = {} } = filter;
  const { status, paymentStatus, fulfillmentStatus } = filter;
  const fields = {
    customerId: typeof customerId === 'object' ? trusted({ $in: customerId }) : customerId,
    number,
    externalRef,
    'items.sku': sku,
    'fulfillments.trackingNumber': trackingNumber,
    status: oneOf(status),
    paymentStatus: oneOf(paymentStatus),
    fulfillmentStatus: oneOf(fulfillmentStatus),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const tags = Object.entries(metadata).map(([key, value]) => ({ metadata: tagOf(key, value) }));
  return [...given.map(([field, value]) => ({ [field]: value })), ...tags] as QueryFilter<OrderDocument>[];
}

function oneOf(values: string[] | undefined): unknown {
  return values && trusted({ $in: values });
}

function during(field: OrderSort, from?: Date, to?: Date): QueryFilter<OrderDocument>[] {
  if (!from && !to) return [];
  return [{ [field]: trusted({ ...(from && { $gte: from }), ...(to && { $lt: to }) }) }];
}

/** One range of the index, without those at its edge that are on an earlier page: an $or would be several scans. */
function beyond(sort: OrderSort, { at, id }: OrderPosition): QueryFilter<OrderDocument>[] {
  const isDescending = sort === 'createdAt';
  const before = { [sort]: at, _id: trusted(isDescending ? { $gte: id } : { $lte: id }) };
  return [{ [sort]: trusted(isDescending ? { $lte: at } : { $gte: at }) }, { $nor: [before] }];
}

/**
 * Returns the index of a list by the last change, of a customer or of all, unless a name finds the few orders faster.
 * With any other, MongoDB would sort all that it finds. Lists by time have an index for each filter, and MongoDB tries
 * which one finds the fewest orders.
 */
function hintFor(filter: OrderFilter, sort: OrderSort): OrderQuery['hint'] {
  const { customerId, number, externalRef, trackingNumber, archived } = filter;
  if (sort === 'createdAt' || (number ?? externalRef ?? trackingNumber) !== undefined) return {};
  const whose = customerId === undefined ? '' : 'customer_and_';
  return { hint: `${archived ? 'archived' : 'listed'}_by_${whose}change` };
}
