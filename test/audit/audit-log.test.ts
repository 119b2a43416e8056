import { createAuditRepository, type AuditRepository } from '../../src/audit/audit.repository';
import { createAuditDayModel, createAuditModel, type AuditDocument } from '../../src/audit/audit.model';
import { BEGINNING } from '../../src/audit/chain';
import { createAuditRecorder } from '../../src/audit/recorder';
import { verifyAuditLog, type Verification } from '../../src/audit/verify';
import type { AuditedChange } from '../../src/domain/audit';
import { createTransact, type Transact } from '../../src/mongodb/transaction';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { runEntry } from '../support/entries';

const MONDAY = new Date('2026-03-02T12:00:00Z');
const TUESDAY = new Date('2026-03-03T12:00:00Z');
const CHANGE: AuditedChange = {
  origin: { by: 'usr_01HZX000000000000000ADM1N0', requestId: 'r-1', address: '192.0.2.7' },
  action: 'order.amend',
  object: 'ord_1',
  subject: 'usr_1',
  changes: [{ field: 'total', before: 100, after: 200 }],
  personal: [{ field: 'note', before: null, after: 'Canary Street 1' }],
};

let db: TestDatabase;
let transact: Transact;
let audit: AuditRepository;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
  transact = createTransact(db.connection);
  audit = createAuditRepository(db.connection, transact);
});
afterAll(() => db.drop());
beforeEach(async () => {
  await createAuditModel(db.connection).deleteMany();
  await createAuditDayModel(db.connection).deleteMany();
});

async function record(...changes: Partial<AuditedChange>[]): Promise<void> {
  const write = createAuditRecorder(db.connection);
  for (const change of changes) await transact((session) => write({ ...CHANGE, ...change }, session));
}

/** Three entries of Monday and two of Tuesday. */
async function twoDays(): Promise<void> {
  await record({}, { object: 'ord_2' }, { action: 'stock.adjust', personal: [], subject: null });
  await audit.seal(MONDAY);
  await record({}, {});
  await audit.seal(TUESDAY);
}

const verify = (options?: Parameters<typeof verifyAuditLog>[1]): Promise<Verification> =>
  verifyAuditLog(db.connection, options);
/** What a person with access to the database can do. */
const entries = () => db.connection.collection<AuditDocument>('audit');
const at = (day: string, position: number) => ({ day, position });

describe('the chain', () => {
  it('holds over days, and knows the hashes that it has had', async () => {
    await twoDays();
    const first = await entries().findOne(at('2026-03-02', 1));
    const { last, ...found } = await verify({ known: [first!.hash!] });
    expect(found).toEqual({ days: 2, entries: 5, erased: 0, unsealed: 0, flaws: [] });
    expect(last).toEqual({ day: '2026-03-03', hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['an entry is removed', () => entries().deleteOne(at('2026-03-02', 2)), 'Missing: entry 2.'],
    [
      'the last entries of a day are removed',
      () => entries().deleteMany({ day: '2026-03-03' }),
      'Missing: entries 1 to 2.',
    ],
    [
      'a value is changed',
      () => entries().updateOne(at('2026-03-02', 1), { $set: { 'changes.0.after': 150 } }),
      'It was changed',
    ],
    [
      'someone else is blamed',
      () => entries().updateOne(at('2026-03-02', 1), { $set: { actor: 'usr_2' } }),
      'It was changed',
    ],
    [
      'a personal value is changed',
      () => entries().updateOne(at('2026-03-02', 1), { $set: { 'private.changes.0.after': 'x' } }),
      'address or personal values',
    ],
    [
      'the address is changed',
      () => entries().updateOne(at('2026-03-02', 1), { $set: { 'private.address': '::1' } }),
      'address or personal values',
    ],
    [
      'two entries change places',
      async () => {
        await entries().updateOne(at('2026-03-02', 1), { $set: { position: 9 } });
        await entries().updateOne(at('2026-03-02', 2), { $set: { position: 1 } });
        await entries().updateOne(at('2026-03-02', 9), { $set: { position: 2 } });
      },
      'It was changed',
    ],
    [
      'one is added at the end',
      async () => {
        const { _id, ...entry } = (await entries().findOne(at('2026-03-02', 3)))!;
        await entries().insertOne({ ...entry, _id: 'aud_x', position: 4 });
      },
      'ends otherwise',
    ],
    [
      'one is added beside the chain',
      async () => {
        const copied = (await entries().findOne(at('2026-03-02', 3)))!;
        const { day, position, hash, ...entry } = copied;
        await entries().insertOne({ ...entry, _id: 'aud_x' });
      },
      'neither is in the chain nor waits',
    ],
    [
      'one leaves the chain for another try',
      () => entries().updateOne(at('2026-03-03', 2), { $set: { unsealed: true } }),
      'neither is in the chain nor waits',
    ],
    [
      'a day disappears',
      async () => {
        await entries().deleteMany({ day: '2026-03-02' });
        await createAuditDayModel(db.connection).deleteOne({ _id: '2026-03-02' });
      },
      'does not begin where that of the day before ended',
    ],
    [
      'what says how a day ended disappears',
      () => createAuditDayModel(db.connection).deleteOne({ _id: '2026-03-03' }),
      'The chain of this day is missing.',
    ],
    [
      'a day is added before the first one',
      async () => {
        const hash = BEGINNING;
        const forged = { entries: 1, previous: hash, hash, removedAt: MONDAY };
        await createAuditDayModel(db.connection).create({ _id: '2020-01-01', ...forged });
      },
      'It adds nothing to the chain',
    ],
    [
      'an entry is added to a day that was removed',
      async () => {
        const { _id, ...entry } = (await entries().findOne(at('2026-03-02', 3)))!;
        await audit.removeBefore(TUESDAY);
        const anHourAgo = new Date(Date.now() - 3_600_001);
        await createAuditDayModel(db.connection).updateOne({ _id: '2026-03-02' }, { removedAt: anHourAgo });
        await entries().insertOne({ ...entry, _id: 'aud_x' });
      },
      'Entries were added after those of this day were removed.',
    ],
    [
      'a day is said to be too old',
      async () => {
        await createAuditDayModel(db.connection).updateOne({ _id: '2026-03-03' }, { removedAt: TUESDAY });
        await entries().deleteMany({ day: '2026-03-03' });
      },
      'before AUDIT_RETENTION was over',
    ],
  ])('shows when %s', async (_what, tamper, message) => {
    await twoDays();
    await tamper();
    const { flaws } = await verify({ keptSince: TUESDAY });
    expect(flaws).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining(message) as string }),
    );
  });

  it('shows by a hash from the log that the whole chain was forged', async () => {
    await twoDays();
    const { last } = await verify();
    await createAuditModel(db.connection).deleteMany();
    await createAuditDayModel(db.connection).deleteMany();
    await record({ action: 'order.place' });
    await audit.seal(TUESDAY);
    await expect(verify()).resolves.toMatchObject({ flaws: [] });
    const { flaws } = await verify({ known: [last!.hash] });
    expect(flaws).toEqual([{ day: 'unknown', message: `The hash ${last!.hash} is not in the chain.` }]);
  });

  it('still holds when the data of a customer are erased, which leaves nothing of them', async () => {
    await twoDays();
    await audit.erasePrivateParts('usr_1');
    await expect(verify()).resolves.toMatchObject({ erased: 4, flaws: [] });
    expect(JSON.stringify(await entries().find({ subject: 'usr_1' }).toArray())).not.toMatch(/Canary|192\.0/);
  });

  it('still holds when what is too old was removed', async () => {
    await twoDays();
    await expect(audit.removeBefore(TUESDAY)).resolves.toBe(3);
    await expect(verify({ keptSince: TUESDAY })).resolves.toMatchObject({ days: 2, entries: 2, flaws: [] });
  });

  it('is one chain if several processes seal at once, also with a clock that is behind', async () => {
    await record(...Array.from({ length: 12 }, () => ({})));
    await Promise.all([TUESDAY, MONDAY, TUESDAY].map((now) => audit.seal(now)));
    await record({});
    await audit.seal(MONDAY);
    const { entries: sealed, unsealed, flaws } = await verify();
    expect({ sealed, unsealed, flaws }).toEqual({ sealed: 13, unsealed: 0, flaws: [] });
  });
});

it('has no flaw if entries are sealed, and others become too old, while it is read', async () => {
  await twoDays();
  const during: (() => Promise<unknown>)[] = [
    () => audit.removeBefore(TUESDAY),
    async () => void (await record({}), await audit.seal(TUESDAY)),
  ];
  /** Does the next thing whenever the entries of a day are about to be read. */
  const connection = Object.create(db.connection) as typeof db.connection;
  connection.collection = ((name: string) => {
    const collection = db.connection.collection<AuditDocument>(name);
    if (name !== 'audit') return collection;
    const wrapped = Object.create(collection) as typeof collection;
    wrapped.find = ((filter: { day?: string }, options: object) =>
      filter.day === undefined ? collection.find(filter, options) : { sort: () => read(filter) }) as never;
    return wrapped;
    async function* read(filter: object) {
      await during.shift()?.();
      yield* collection.find(filter).sort({ position: 1 });
    }
  }) as never;
  const { flaws, entries: read, unsealed } = await verifyAuditLog(connection);
  expect({ flaws, read, unsealed, left: during.length }).toEqual({
    flaws: [],
    read: 3,
    unsealed: 0,
    left: 0,
  });
});

it('shows entries that nobody has sealed', async () => {
  await record({});
  await expect(verify()).resolves.toMatchObject({ unsealed: 1, flaws: [] });
  await entries().updateOne({}, { $set: { at: new Date(Date.now() - 2 * 3_600_000) } });
  const { flaws } = await verify();
  expect(flaws).toMatchObject([{ message: expect.stringContaining('Schedule') as string }]);
});

it('has no entry of a change that was not made', async () => {
  const write = createAuditRecorder(db.connection);
  const failing = transact(async (session) => {
    await write(CHANGE, session);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await expect(entries().countDocuments()).resolves.toBe(0);
});

it('is verified by a command, which ends with 1 if it has a flaw', async () => {
  await record({}, {});
  const { hash } = (await audit.seal())!;
  const env = { NODE_ENV: 'test', TEMPORAL_ADDRESS: process.env.TEMPORAL_ADDRESS, MONGODB_URI: db.uri };
  const verifying = (...args: string[]) => runEntry('audit-log', env, { args });
  expect(await verifying(hash)).toMatchObject({ code: 0, stdout: expect.stringContaining(hash) as string });
  expect(await verifying('yesterday')).toMatchObject({ code: 1 });
  await entries().deleteOne({ position: 1 });
  const { code, stdout } = await verifying();
  expect({ code, stdout }).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('Missing: entry 1.') as string,
  });
});
