import type { CallRecord } from '../log';
import type { StoredAnswer, StoredOrder } from './documents';
import type { Visible } from './events';

/** An order that clients have named, and all that is known of its versions. */
export interface LoggedOrder {
  order: StoredOrder;
  versions: ReadonlyMap<number, Visible>;
  /** Its answers to commands, as far as it remembers them. */
  answers: readonly StoredAnswer[];
}

/** What of any order tells who may have placed it. */
export interface PlacedOrder {
  isRejected: boolean;
  /** The cart that has become it. */
  cartId?: string;
}

/** Returns the id of the order that a call is about, if it is known. */
export function orderIdOf({ subject, order }: Pick<CallRecord, 'subject' | 'order'>): string | undefined {
  return order?.id ?? subject?.match(/^order:(.+)$/)?.[1];
}
