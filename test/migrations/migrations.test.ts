import { setTimeout as delay } from 'node:timers/promises';
import { MIGRATIONS, schemaVersionOf, type Migration } from '../../src/migrations/migrations';
import { migrate, pendingOf, type Progress } from '../../src/migrations/run';
import { noteSchemas } from '../../src/migrations/schemas';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { runEntry } from '../support/entries';

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
  expect(await pendingOf(db.connection, [TO_GRAMS, WITH_UNIT])).toMatchObject([
    { documents: SIZE },
    { documents: 0 }, // they come when the one before has been there
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
  expect(await pendingOf(db.connection, [TO_GRAMS, WITH_UNIT])).toMatchObject([
    { documents: 0 },
    { documents: 0 },
  ]);
  expect([schemaVersionOf(COLLECTION, [TO_GRAMS, WITH_UNIT]), schemaVersionOf('orders', [TO_GRAMS])]).toEqual(
    [{ schemaVersion: 3 }, {}],
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
  expect(shown).toMatchObject([{ seen: 500, total: SIZE, changed: 500 }]);
  expect(await parcels().countDocuments({ schemaVersion: 2 })).toBe(500);
  // What is before that is not looked at again.
  const seen: number[] = [];
  expect(
    await migrate(db.connection, TO_GRAMS, { ...unlimited, onProgress: (one) => seen.push(one.seen) }),
  ).toBe(SIZE - 500);
  expect(seen).toEqual([500, 1_000, 1_300]);
});

it('loses no change of others, and finds what the release before writes meanwhile', async () => {
  let isOver = false;
  const writing = (async () => {
    for (let n = 0; !isOver; n = (n + 37) % SIZE) {
      await parcels().updateOne({ _id: n }, { $inc: { moves: 1 } });
      await parcels().replaceOne({ _id: n + 1 }, { kilograms: 1, moves: 1 }); // knows of no version
      await delay(1);
    }
  })();
  const inserted = { _id: -1, kilograms: 2 };
  await migrate(db.connection, TO_GRAMS, {
    ...unlimited,
    onProgress: ({ seen }) => {
      if (seen > 500 && !isOver) {
        isOver = true;
        void parcels().insertOne(inserted); // behind the place where it is
      }
    },
  });
  await writing;
  await migrate(db.connection, TO_GRAMS, unlimited); // once the release before writes no more
  const wrong = await parcels()
    .find({
      $expr: {
        $or: [{ $ne: ['$schemaVersion', 2] }, { $ne: ['$grams', { $multiply: ['$kilograms', 1_000] }] }],
      },
    })
    .toArray();
  expect(wrong).toEqual([]);
  expect(await parcels().findOne({ _id: -1 })).toMatchObject({ grams: 2_000 });
  expect(await parcels().countDocuments({ moves: { $gt: 0 } })).toBeGreaterThan(1);
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
