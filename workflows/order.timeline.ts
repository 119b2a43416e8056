import type { Axis } from '../src/domain/order';
import type { OrderSummary } from '../src/domain/order-summary';

/** Something that has happened to an order, as its workflow has seen it: no texts of people, and nothing personal. */
export interface TimelineEntry {
  /** ISO 8601. */
  at: string;
  /** Such as `status`, `command`, `compensation`. */
  what: string;
  /** Such as `pending → confirmed`. */
  detail: string;
}

/** The result of the query `getTimeline`. */
export interface Timeline {
  /** The oldest first. */
  entries: TimelineEntry[];
  /** How many older ones were left out. */
  leftOut: number;
}

/** How many entries are kept: a result, and what a run hands to the next one, stay small. */
const KEPT = 60;

const AXES: readonly Axis[] = ['status', 'paymentStatus', 'fulfillmentStatus'];

/**
 * Keeps the last entries of what has happened.
 * @param beginning what the first entry says
 * @param before what the run before has handed over, which has that entry
 */
export function createTimeline(beginning: string, before?: Timeline) {
  let { entries, leftOut }: Timeline = before ?? { entries: [], leftOut: 0 };

  function note(what: string, detail: string): void {
    entries = [...entries, { at: new Date().toISOString(), what, detail }];
    leftOut += Math.max(0, entries.length - KEPT);
    entries = entries.slice(-KEPT);
  }

  if (!before) note('workflow', beginning);

  return {
    note,

    /** Notes what is different. */
    noteChanges(order: OrderSummary, last: OrderSummary): void {
      for (const axis of AXES) {
        const why = axis === 'status' && order.rejection ? `, ${order.rejection.code}` : '';
        if (order[axis] !== last[axis]) note(axis, `${last[axis]} → ${order[axis]}${why}`);
      }
      if (order.isOverdue && !last.isOverdue) note('overdue', 'the rest waits for its fulfillment');
      if (order.awaits && order.awaits.until !== last.awaits?.until)
        note('waits', `for the customer until ${order.awaits.until}`);
      noteOwed(order.owed, last.owed);
    },

    current: (): Timeline => ({ entries, leftOut }),
  };

  function noteOwed(owed: OrderSummary['owed'], last: OrderSummary['owed']): void {
    for (const { step, state } of owed) {
      if (last.find((one) => one.step === step)?.state !== state) note('compensation', `${step} ${state}`);
    }
    for (const { step } of last) {
      if (!owed.some((one) => one.step === step)) note('compensation', `${step} settled`);
    }
  }
}
