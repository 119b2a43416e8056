import type { Connection } from 'mongoose';
import { createDeclineRepository } from '../../src/payments/declines/declines.repository';
import type { PaymentDeclines } from '../../src/payments/declines/payment-declines';

/** Counts declined payments, of which there are never too many. */
export function unlimitedDeclines(connection: Connection): PaymentDeclines {
  return { ...createDeclineRepository(connection), isAtLimit: () => false };
}
