import { mongo } from 'mongoose';
import { createTransact } from '../../src/mongodb/transaction';
import { openTestDatabase, type TestDatabase } from '../support/database';

const PATIENCE_MS = 600_000;

let db: TestDatabase;
beforeAll(async () => void (db = await openTestDatabase()));
afterAll(() => db.drop());

const counters = () => db.connection.collection<{ _id: string; n: number }>('counters');

it('writes all or nothing', async () => {
  const transact = createTransact(db.connection);
  const failing = transact(async (session) => {
    await counters().insertOne({ _id: 'a', n: 1 }, { session });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await counters().countDocuments()).toBe(0);
});

it('repeats colliding transactions until all have taken effect', async () => {
  // A slow machine may take longer than an activity has: this is about what takes effect, and not when.
  const transact = createTransact(db.connection, PATIENCE_MS);
  await counters().insertOne({ _id: 'b', n: 0 });
  const increments = Array.from({ length: 10 }, () =>
    transact((session) => counters().updateOne({ _id: 'b' }, { $inc: { n: 1 } }, { session })),
  );
  await Promise.all(increments);
  expect(await counters().findOne({ _id: 'b' })).toMatchObject({ n: 10 });
});

it('fails within its deadline if the transaction always collides', async () => {
  await counters().insertOne({ _id: 'c', n: 0 });
  await db.connection.withSession(async (blocking) => {
    blocking.startTransaction();
    await counters().updateOne({ _id: 'c' }, { $inc: { n: 1 } }, { session: blocking });
    const blocked = createTransact(db.connection)((session) =>
      counters().updateOne({ _id: 'c' }, { $inc: { n: 1 } }, { session }),
    );
    await expect(blocked).rejects.toBeInstanceOf(mongo.MongoOperationTimeoutError);
    await blocking.abortTransaction();
  });
});
