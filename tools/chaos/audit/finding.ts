import { isDeepStrictEqual } from 'node:util';

/** What the audit can find, and what each means. */
export const FINDING_KINDS = {
  order_sums: 'The sums of an order do not follow from its lines',
  order_units:
    'A line has units that were never ordered, or the fulfillments say something else than the lines',
  order_refunds: 'What is refunded is not the sum of the refunds, or more than was captured',
  order_overcharged: 'The customer has paid more than what is due',
  order_undercharged: 'All was sent, and the customer has paid less than what is due',
  order_history: 'The history of an order has a gap, or does not end in its state',
  order_version: 'An order has an impossible version, or has answered one command twice',
  order_reservation: 'An order keeps stock that it does not need, or none that it needs',
  order_unsettled: 'An order waits for something that is not its customer, or owes something',
  unpaid_count: 'The orders that wait for their customer are not those that are counted as unpaid',
  ledger_balance: 'The balances of a payment do not follow from its operations',
  charge_differs:
    'The payment service has captured, refunded or lost to a dispute another amount than the order says',
  charged_twice: 'More than one payment of an order keeps money',
  reservation_left: 'Money is reserved that the order does not need, or not what it needs',
  payment_without_order: 'A payment belongs to no order',
  stock_negative: 'Less than nothing of a product is there',
  stock_reserved: 'The reserved units are not those that orders keep',
  stock_held: 'The held units are not those that carts keep',
  stock_lost: 'Available, held, reserved, with customers and written off are not what was put in',
  stock_unknown: 'An order or a cart keeps units of something that has no stock',
  cart_order: 'A cart and its order do not name each other',
  event_missing: 'A version of an order or a place of the feed has no event',
  event_differs: 'An event says something else than the order that it is about',
  workflow_missing: 'An open order has no running workflow',
  workflow_without_order: 'A workflow runs for an order that does not exist',
  workflow_left_over: 'A workflow runs though its order is closed and owes nothing',
  workflow_failed: 'The workflow of an order has failed',
  workflow_task_failing: 'A workflow task has failed, such as by a non-deterministic change',
  workflow_task_late:
    'No worker completes a workflow task in time: none runs, the machine is too busy, or the code does not end',
  activity_failing: 'An activity keeps failing',
  workflow_differs: 'Temporal shows another state than the order has',
  accepted_lost: 'An order was accepted and is not there, or one that was refused was placed',
  answer_untrue: 'What was answered is not what was written',
  never_written: 'A client has read a version that was never written',
  version_went_back: 'A client has read an older version after a newer one',
  not_shown:
    'A client was told that an order does not exist, or was shown a list without it, after it was there',
  done_twice: 'More was done than was asked for',
  done_never: 'What was answered as done was not done',
  done_otherwise: 'What was done is not what was asked for',
  refused_done: 'What was answered as refused was done',
  repeat_differs: 'Calls with the same key were answered as if they were not the same, or as if others were',
  key_shared: 'Calls with two keys have made one order, or calls with one key two',
  order_unaccounted: 'There are orders that nobody asked for',
  not_linearizable:
    'What clients saw has no order in which each call took effect once, between its beginning and its end',
  history_undecided:
    'There are more possible orders of calls than could be tried: nothing is proven, or refuted',
} as const satisfies Record<string, string>;

export type FindingKind = keyof typeof FINDING_KINDS;

export interface Finding {
  kind: FindingKind;
  /** The id of what it is about. */
  subject: string;
  expected: unknown;
  found: unknown;
}

/** Collects findings. */
export interface Findings {
  readonly all: Finding[];
  add(kind: FindingKind, subject: string, expected: unknown, found: unknown): void;
  /** Adds a finding unless both are equal. */
  same(kind: FindingKind, subject: string, expected: unknown, found: unknown): void;
  /** Adds a finding unless it holds. @param rule what has to hold */
  holds(kind: FindingKind, subject: string, rule: string, holds: boolean, found: unknown): void;
}

export function createFindings(): Findings {
  const all: Finding[] = [];
  const add: Findings['add'] = (kind, subject, expected, found) =>
    void all.push({ kind, subject, expected, found });
  return {
    all,
    add,
    same(kind, subject, expected, found) {
      if (!isDeepStrictEqual(expected, found)) add(kind, subject, expected, found);
    },
    holds(kind, subject, rule, holds, found) {
      if (!holds) add(kind, subject, rule, found);
    },
  };
}
