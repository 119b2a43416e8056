import { setTimeout as delay } from 'node:timers/promises';
import { Schema } from 'mongoose';
import { MIGRATIONS, type Migration } from '../../src/migrations/migrations';
import { carryVersion, schemaVersionOf } from '../../src/migrations/schema-version';
import { migrate, pendingOf, type Progress } from '../../src/migrations/run';
import { noteSchemas } from '../../src/migrations/schemas';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { runEntry } from '../support/entries';
import { HANG_MS } from '../support/eventually';

const COLLECTION = 'parcels';
const SIZE = 1_800;

/** What a parcel weighs is in grams from version 2 on, and says so from version 3 on. */
const TO_GRAMS: Migration = {
  collection: COLLECTION,
  to: 2,
  summary: 'The weight is in grams.',
  pipeline: [{ $set: { grams: { $multiply: ['$kilograms', 1_000] } } }],
};
const WITH_UNIT: Migration = {
  collection: COLLECTION,
  to: 3,
  summary: 'The weight has a unit.',
  pipeline: [{ $set: { weight: { value: '$grams', unit: 'g' } } }],
};

interface Parcel {
  _id: number;
  kilograms: number;
  note?: string;
  moves?: number;
  grams?: number;
  schemaVersion?: number;
}

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
});
afterAll(() => db.drop());

const parcels = () => db.connection.collection<Parcel>(COLLECTION);
const unlimited = { signal: new AbortController().signal, perSecond: 1e9 };

beforeEach(async () => {
  await parcels().deleteMany({});
  await db.connection.collection('migrations').deleteMany({});
  await parcels().insertMany(
    Array.from({ length: SIZE }, (_, n) => ({ _id: n, kilograms: n, note: 'as it was' })),
  );
});

it('changes every document once, and keeps what else it has', async () => {
  expect(await pendingOf(db.connection, [TO_GRAMS, WITH_UNIT], unlimited)).toMatchObject([
    { documents: SIZE },
    { documents: SIZE },
  ]);
  expect(await migrate(db.connection, TO_GRAMS, unlimited)).toBe(SIZE);
  expect(await migrate(db.connection, WITH_UNIT, unlimited)).toBe(SIZE);
  expect(await parcels().findOne({ _id: 7 })).toEqual({
    _id: 7,
    schemaVersion: 3,
    kilograms: 7,
    grams: 7_000,
    weight: { value: 7_000, unit: 'g' },
    note: 'as it was',
  });
  expect(await migrate(db.connection, TO_GRAMS, unlimited)).toBe(0);
  expect(await pendingOf(db.connection, [TO_GRAMS, WITH_UNIT], unlimited)).toMatchObject([
    { documents: 0 },
    { documents: 0 },
  ]);
  expect([schemaVersionOf(COLLECTION, [TO_GRAMS, WITH_UNIT]), schemaVersionOf('orders', [TO_GRAMS])]).toEqual(
    [3, 1],
  );
});

it('continues where it was interrupted, and says how far it is', async () => {
  const stopping = new AbortController();
  const shown: Progress[] = [];
  const interrupted = migrate(db.connection, TO_GRAMS, {
    ...unlimited,
    signal: stopping.signal,
    onProgress(progress) {
      shown.push(progress);
      stopping.abort();
    },
  });
  await expect(interrupted).rejects.toThrow(/abort/);
  expect(shown).toMatchObject([{ seen: 500, total: SIZE, older: 500 }]);
  expect(await parcels().countDocuments({ schemaVersion: 2 })).toBe(500);
  // What is before that is not looked at again.
  const seen: number[] = [];
  expect(
    await migrate(db.connection, TO_GRAMS, { ...unlimited, onProgress: (one) => seen.push(one.seen) }),
  ).toBe(SIZE - 500);
  expect(seen).toEqual([500, 1_000, 1_300, 500, 1_000, 1_500, 1_800]); // and whether all are done
});

/** The parcels as a release knows them whose newest version is that one. */
function releaseOf(version: 1 | 2) {
  const schema = new Schema<Parcel>(
    { _id: Number, kilograms: Number, ...(version === 2 && { grams: Number }) },
    { collection: COLLECTION, versionKey: false },
  );
  carryVersion(schema, version);
  const model = db.connection.model(`Release${version}`, schema);
  const weighing = (kilograms: number) => ({ kilograms, ...(version === 2 && { grams: 1_000 * kilograms }) });
  return {
    add: (_id: number, kilograms: number) => model.create({ _id, ...weighing(kilograms) }),
    weigh: (_id: number, kilograms: number) => model.updateOne({ _id }, { $set: weighing(kilograms) }),
    weighAgain: (_id: number, kilograms: number) =>
      model.findOneAndUpdate({ _id }, { $set: weighing(kilograms) }, { upsert: true }),
    weighMany: (ids: number[], kilograms: number) =>
      model.bulkWrite(
        ids.map((_id) => ({ updateOne: { filter: { _id }, update: { $set: weighing(kilograms) } } })),
      ),
  };
}

/** Returns the parcels of this version whose two weights differ. */
const wrongOf = (schemaVersion: number) =>
  parcels()
    .find({ schemaVersion, $expr: { $ne: ['$grams', { $multiply: ['$kilograms', 1_000] }] } } as never)
    .toArray();

it('keeps what two releases write meanwhile, and finds what the older one has written', async () => {
  const [older, newer] = [releaseOf(1), releaseOf(2)];
  let isOver = false;
  const writing = [older, newer].map(async (release, parity) => {
    for (let n = 0; !isOver; n++) {
      const at = (37 * n) % SIZE;
      await release.weigh(at, n);
      await release.weighAgain(at + 1, n);
      await release.weighMany([at + 2, at + 3], n);
      await release.weighAgain(-2 * n - parity - 1, n); // new ones, behind the place where it is
      await release.add(10 * SIZE + 2 * n + parity, n);
      await delay(1);
    }
  });
  await migrate(db.connection, TO_GRAMS, {
    ...unlimited,
    signal: AbortSignal.timeout(HANG_MS),
    onProgress: ({ seen }) => {
      if (seen > 1_000) isOver = true;
    },
  });
  await Promise.all(writing);
  expect(await wrongOf(2)).toEqual([]);
  expect(await parcels().countDocuments({ schemaVersion: 2, grams: 0, _id: { $lt: 0 } })).toBeGreaterThan(0);

  await migrate(db.connection, TO_GRAMS, unlimited); // once the release before writes no more
  expect(await parcels().countDocuments({ schemaVersion: { $ne: 2 } })).toBe(0);
  expect(await wrongOf(2)).toEqual([]);
  expect((await parcels().findOne({ _id: 8 }))!.note).toBe('as it was');

  // The release is taken back, and comes again.
  await older.weigh(1, 70);
  await older.weighAgain(2, 70);
  await older.weighMany([3], 70);
  await older.add(-1e6, 70);
  expect(await parcels().distinct('_id', { schemaVersion: 1 })).toEqual([-1e6, 1, 2, 3]);
  await newer.weigh(3, 71); // which knows the newer version, but not that the rest of the document has it
  expect(await parcels().findOne({ _id: 3 })).toMatchObject({ schemaVersion: 1, grams: 71_000 });
  expect(await migrate(db.connection, TO_GRAMS, unlimited)).toBe(4);
  expect(await wrongOf(2)).toEqual([]);
});

it('a release can be taken back once, and is not set up on documents that are two versions newer', async () => {
  await noteSchemas(db.connection, []);
  await noteSchemas(db.connection, [TO_GRAMS]);
  await noteSchemas(db.connection, []);
  await noteSchemas(db.connection, [TO_GRAMS, WITH_UNIT]);
  await noteSchemas(db.connection, [TO_GRAMS]);
  await expect(noteSchemas(db.connection, [])).rejects.toThrow(
    'Documents of the collection parcels may have version 3 of their schema, and this release knows version 1: ' +
      'it reads those of version 2, and no newer ones. Run a newer release.',
  );
  const env = { NODE_ENV: 'test', MONGODB_URI: db.uri, TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS };
  const setup = await runEntry('setup', env);
  expect(setup.code).toBe(1);
  expect(setup.stdout + setup.stderr).toContain('may have version 3 of their schema');
});

it('the migrations of a collection lead from version to version', () => {
  const collections = new Set(MIGRATIONS.map(({ collection }) => collection));
  for (const name of collections) {
    const versions = MIGRATIONS.filter(({ collection }) => collection === name).map(({ to }) => to);
    expect(versions).toEqual(versions.map((_, n) => n + 2));
  }
});

it('the command changes nothing unless it is told to, and says what there is', async () => {
  const env = { NODE_ENV: 'test', MONGODB_URI: db.uri, TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS };
  expect(await runEntry('migrate', env)).toMatchObject({
    code: 0,
    stdout: 'All documents are of the newest version.\n',
  });
  expect(await runEntry('migrate', env, { args: ['--per-second', '-1'] })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Usage: npm run migrate') as string,
  });
});
