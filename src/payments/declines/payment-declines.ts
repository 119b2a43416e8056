import type { Order } from '../../domain/order';
import type { DeclineLimits } from './decline-limit';
import type { DeclineRepository } from './declines.repository';
import type { FollowedDeclines } from './follow-declines';

/** The declined payments as workers see them. */
export interface PaymentDeclines extends Pick<DeclineRepository, 'add'> {
  /** Tells whether so many payments of the order's sender were declined that no other is tried. */
  isAtLimit(order: Pick<Order, 'placedBy' | 'customerId'>): boolean;
}

/** The API turns payments down as well; here are those that it accepted before the first of them was declined. */
export function createPaymentDeclines(
  { add }: Pick<DeclineRepository, 'add'>,
  followed: Pick<FollowedDeclines, 'msAtLimit'>,
  { perUser, perStaff }: DeclineLimits,
): PaymentDeclines {
  return {
    add,
    isAtLimit: ({ placedBy, customerId }) =>
      followed.msAtLimit('by', placedBy, placedBy === customerId ? perUser : perStaff) > 0,
  };
}
