import type { DeclineLimits } from './decline-limit';
import type { DeclineRepository } from './declines.repository';
import type { FollowedDeclines } from './follow-declines';

/** The declined payments as workers see them. */
export interface PaymentDeclines extends Pick<DeclineRepository, 'add'> {
  /** Tells whether so many payments were declined of who sends one for the customer that no other is tried. */
  isAtLimit(payment: { by: string; customerId: string }): boolean;
}

/** The API turns payments down as well; here are those that it accepted before the first of them was declined. */
export function createPaymentDeclines(
  { add }: Pick<DeclineRepository, 'add'>,
  followed: Pick<FollowedDeclines, 'msAtLimit'>,
  { perUser, perStaff }: DeclineLimits,
): PaymentDeclines {
  return {
    add,
    isAtLimit: ({ by, customerId }) =>
      followed.msAtLimit('by', by, by === customerId ? perUser : perStaff) > 0,
  };
}
