import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lackOf } from '../support/command-concerns.cjs';
import { openTestDatabase } from '../support/database';
import { runNode } from '../support/entries';
import { lackingCommands } from '../support/lacking-commands';

/** The whole run fails if any command lacks a concern: `global-teardown.ts`. Here is what it would fail of. */
const MAJORITY = { readConcern: { level: 'majority' } };
const SAFE = { writeConcern: { w: 'majority' } };
const WITHIN = { txnNumber: 1, autocommit: false };

it.each([
  ['find', {}, 'read concern majority'],
  ['find', { readConcern: { level: 'local' } }, 'read concern majority'],
  ['find', MAJORITY, undefined],
  ['find', { readConcern: { level: 'linearizable' } }, undefined],
  ['find', { readConcern: { level: 'snapshot' } }, undefined],
  ['aggregate', { pipeline: [{ $match: {} }] }, 'read concern majority'],
  ['aggregate', { pipeline: [{ $merge: 'x' }], ...MAJORITY }, 'write concern majority'],
  ['aggregate', { pipeline: [{ $merge: 'x' }], ...MAJORITY, ...SAFE }, undefined],
  ['insert', {}, 'write concern majority'],
  ['update', { writeConcern: { w: 1 } }, 'write concern majority'],
  ['findAndModify', SAFE, undefined],
  ['find', { ...WITHIN, startTransaction: true }, 'read concern snapshot of its transaction'],
  ['find', { ...WITHIN, startTransaction: true, readConcern: { level: 'snapshot' } }, undefined],
  ['insert', WITHIN, undefined],
  ['commitTransaction', WITHIN, 'write concern majority'],
  ['commitTransaction', { ...WITHIN, ...SAFE }, undefined],
  ['getMore', {}, undefined],
  ['mapReduce', {}, 'a place in this list: does it read or write?'],
])('of %s %j it says that it lacks: %s', (name, options, lack) => {
  expect(lackOf(name, { [name]: 'things', ...options })).toBe(lack);
});

it('watches the clients of test files', async () => {
  const db = await openTestDatabase();
  const client = db.connection.getClient();
  expect(client.options.monitorCommands).toBe(true);
  expect(client.listenerCount('commandStarted')).toBeGreaterThan(0);
  await db.drop();
});

it('watches the clients of the processes that tests start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orders-lacking-'));
  const file = join(folder, 'lacking.jsonl');
  const script = `
    const client = new (require('mongodb').MongoClient)(process.env.MONGODB_URI);
    const things = client.db('lacking').collection('things');
    things.findOne({}, { readConcern: { level: 'majority' } })
      .then(() => things.findOne({}))
      .then(() => things.findOne({}))
      .finally(() => client.close());`;
  const { code } = await runNode(['-e', script], {
    MONGODB_URI: process.env.MONGODB_URI,
    TEST_LACKING_COMMANDS: file,
  });
  expect(code).toBe(0);
  const noted = lackingCommands(file).map((line) => JSON.parse(line) as unknown);
  expect(noted).toEqual([
    { command: 'find things', database: 'lacking', lacks: 'read concern majority', in: '' },
  ]);
  await rm(folder, { recursive: true });
});
