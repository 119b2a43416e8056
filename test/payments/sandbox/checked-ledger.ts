import type { Connection } from 'mongoose';
import { createSandboxPaymentModel, type SandboxPaymentDocument } from '../../../src/payments/sandbox/model';

/** The payment in the sandbox's ledger; throws when its figures contradict each other. */
export async function ledgerOf(
  { connection }: { connection: Connection },
  key: string,
): Promise<SandboxPaymentDocument> {
  const payment = await createSandboxPaymentModel(connection).findById(key).lean();
  if (!payment) throw new Error(`There is no payment ${key} in the ledger.`);
  requireBalance(payment);
  return payment;
}

/** authorized = open + captured + voided, refunded <= captured, and the operations say the same. */
function requireBalance(payment: SandboxPaymentDocument): void {
  const { authorized, open, captured, voided, refunded, status, operations } = payment;
  const sumOf = (kind: string) =>
    operations.filter((operation) => operation.kind === kind).reduce((sum, { amount }) => sum + amount, 0);
  expect(payment).toMatchObject({
    authorized: open + captured + voided,
    open: status === 'authorized' ? authorized : 0,
  });
  expect(refunded).toBeLessThanOrEqual(captured);
  expect({ authorized, captured, voided, refunded }).toEqual({
    authorized: sumOf('authorize'),
    captured: sumOf('capture'),
    voided: sumOf('void'),
    refunded: sumOf('refund'),
  });
  expect(new Set(operations.map(({ key }) => key)).size).toBe(operations.length);
}
