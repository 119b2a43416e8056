import type { Connection } from 'mongoose';
import { createSandboxPaymentModel, type SandboxPaymentDocument } from '../../../src/payments/sandbox/model';

/** Returns a payment from the sandbox's ledger, and fails if its amounts contradict each other. */
export async function ledgerOf(
  { connection }: { connection: Connection },
  key: string,
): Promise<SandboxPaymentDocument> {
  const payment = await createSandboxPaymentModel(connection).findById(key).lean();
  if (!payment) throw new Error(`There is no payment ${key} in the ledger.`);
  requireBalance(payment);
  return payment;
}

/**
 * Checks authorized = open + captured + voided, refunded + disputed <= captured, and that the operations add up to them.
 */
function requireBalance(payment: SandboxPaymentDocument): void {
  const { authorized, open, captured, voided, refunded, disputed, status, operations } = payment;
  const sumOf = (...kinds: string[]) =>
    operations.filter(({ kind }) => kinds.includes(kind)).reduce((sum, { amount }) => sum + amount, 0);
  const releasedByCaptures = operations.reduce((sum, { released = 0 }) => sum + released, 0);
  expect(authorized).toBe(open + captured + voided);
  expect(open > 0).toBe(status === 'authorized');
  expect(refunded + disputed).toBeLessThanOrEqual(captured);
  expect({ authorized, captured, voided, refunded, disputed }).toEqual({
    authorized: sumOf('authorize'),
    captured: sumOf('capture'),
    voided: sumOf('void', 'release', 'expire') + releasedByCaptures,
    refunded: sumOf('refund') - sumOf('fail_refund'),
    disputed: sumOf('dispute') - sumOf('win_dispute'),
  });
  expect(new Set(operations.map(({ key }) => key)).size).toBe(operations.length);
}
