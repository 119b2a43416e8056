import { createStripePaymentRepository } from '../../../src/payments/stripe/repository';
import { openTestDatabase, type TestDatabase } from '../../support/database';

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase({ own: true })));
afterAll(() => db.drop());

/** Returns the query plans that MongoDB used, for example `IXSCAN { reference: 1 }`. */
async function plansOf(queries: () => Promise<unknown>): Promise<string[]> {
  const database = db.connection.db!;
  await database.command({ profile: 2 });
  await queries();
  await database.command({ profile: 0 });
  const profiled = await database.collection('system.profile').find({ op: 'query' }).toArray();
  return profiled.map(({ planSummary }) => String(planSummary));
}

it('finds the payment of a PaymentIntent of ours by an index', async () => {
  const payments = createStripePaymentRepository(db.connection);
  await payments.claim({ key: 'key-1', orderId: 'ord_1' }, 'pi_1');
  await payments.claim({ key: 'key-2', orderId: 'ord_2' }, null);
  const found: unknown[] = [];
  const plans = await plansOf(async () => {
    for (const id of ['pi_1', 'pi_2']) found.push(await payments.findByReference(id));
  });
  expect(found).toEqual([{ key: 'key-1', orderId: 'ord_1' }, null]);
  expect(plans).toEqual(['IXSCAN { reference: 1 }', 'IXSCAN { reference: 1 }']);
});
