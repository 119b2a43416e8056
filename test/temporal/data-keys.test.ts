import { randomBytes } from 'node:crypto';
import type { mongo } from 'mongoose';
import pino from 'pino';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import { ownerOf } from '../../src/orders/order-request';
import { createDataKeys, followDataKeys, rewrapDataKeys } from '../../src/temporal/data-keys/data-keys';
import { createDataKeyRepository, type DataKeyRepository } from '../../src/temporal/data-keys/repository';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { eventually, HANG_MS } from '../support/eventually';

const newKey = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [`old:${newKey()}`, `new:${newKey()}`];
const silent = pino({ level: 'silent' });
const newOwner = () => ownerOf(randomBytes(8).toString('hex'));

let db: TestDatabase;
let repository: DataKeyRepository;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
  repository = createDataKeyRepository(db.connection);
});
afterAll(() => db.drop());

/** The keys as another process has them. */
const keysOf = (...entries: string[]) =>
  createDataKeys({
    repository,
    payloadKeys: entries.length > 0 ? parsePayloadKeys(entries.join()) : [],
    patienceMs: HANG_MS,
  });

async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
  const commands: string[] = [];
  const note = ({ commandName }: mongo.CommandStartedEvent) => void commands.push(commandName);
  const client = db.connection.getClient();
  client.on('commandStarted', note);
  await work();
  client.off('commandStarted', note);
  return commands;
}

it('makes a key for the first order of a customer, and reads it once in each process', async () => {
  const owner = newOwner();
  const [api, worker] = [keysOf(OLD), keysOf(OLD)];
  expect(await commandsOf(() => api.toEncrypt(owner))).toEqual(['find', 'insert']);
  expect(await commandsOf(() => worker.toDecrypt(owner))).toEqual(['find']);
  const again = async () => {
    for (const keys of [api, worker]) await Promise.all([keys.toEncrypt(owner), keys.toDecrypt(owner)]);
  };
  expect(await commandsOf(again)).toEqual([]);
  const key = await api.toEncrypt(owner);
  expect(key!.export()).toEqual((await worker.toDecrypt(owner)).export());
  expect((await keysOf(OLD).toEncrypt(newOwner()))!.export()).not.toEqual(key!.export());
  const stored = await db.connection.collection('data_keys').findOne({ _id: owner as never });
  expect(Buffer.from((stored!.wrapped as mongo.Binary).buffer).includes(key!.export())).toBe(false);
});

it('makes one key, however many processes ask for the first one', async () => {
  const owner = newOwner();
  const made = await Promise.all(Array.from({ length: 20 }, () => keysOf(OLD).toEncrypt(owner)));
  expect(new Set(made.map((key) => key!.export().toString('hex'))).size).toBe(1);
});

it('encrypts nothing more with a key that is retired, and still decrypts with it, and makes no other', async () => {
  const owner = newOwner();
  const options = { repository, payloadKeys: parsePayloadKeys(OLD), patienceMs: HANG_MS };
  const process = followDataKeys(options, db.mongodb, silent);
  try {
    await process.followed;
    const key = (await process.toEncrypt(owner))!.export();
    await repository.retire(owner);
    await eventually(async () => expect(await process.toEncrypt(owner)).toBeNull());
    expect((await process.toDecrypt(owner)).export()).toEqual(key);
    await repository.retire(owner); // changes nothing
    const another = newOwner();
    await repository.retire(another); // before the first order
    expect(await process.toEncrypt(another)).toBeNull();
  } finally {
    await process.close();
  }
});

it('forgets a key everywhere when it is destroyed, and makes no other', async () => {
  const owner = newOwner();
  const payloadKeys = parsePayloadKeys(OLD);
  const process = followDataKeys({ repository, payloadKeys, patienceMs: HANG_MS }, db.mongodb, silent);
  try {
    await process.toEncrypt(owner);
    await process.followed;
    await process.toEncrypt(owner);
    await repository.destroy(owner);
    await eventually(() => expect(process.toDecrypt(owner)).rejects.toThrow('personal data were erased'));
    expect(await process.toEncrypt(owner)).toBeNull();
    await repository.destroy(owner); // changes nothing
    const stored = await db.connection.collection('data_keys').findOne({ _id: owner as never });
    expect(Object.keys(stored!).sort()).toEqual(['_id', 'createdAt', 'destroyedAt']);
  } finally {
    await process.close();
  }
});

it('waits once for a database that does not answer, and not for each of 200 payloads, and then lets PAYLOAD_KEYS encrypt', async () => {
  let asked = 0;
  const silence = new Promise<never>(() => undefined);
  const away = { find: () => (asked++, silence), add: () => silence };
  const keys = createDataKeys({ repository: away, payloadKeys: parsePayloadKeys(OLD), patienceMs: 1_000 });
  const owner = newOwner();
  for (let payload = 0; payload < 200; payload++) expect(await keys.toEncrypt(owner)).toBeNull();
  expect(asked).toBe(1);
  const failing = { ...away, find: () => Promise.reject(new Error('No primary.')) };
  const others = createDataKeys({ repository: failing, payloadKeys: parsePayloadKeys(OLD) });
  expect(await others.toEncrypt(owner)).toBeNull();
  await expect(others.toDecrypt(owner)).rejects.toThrow('No primary.');
});

it('wraps keys anew when PAYLOAD_KEYS are rotated, so that the old one can be dropped', async () => {
  const owner = newOwner();
  const key = (await keysOf(OLD).toEncrypt(owner))!.export();
  for (const wrong of [keysOf(NEW), keysOf()])
    await expect(wrong.toDecrypt(owner)).rejects.toThrow(
      /key "old", which this process does not have.*PAYLOAD_KEYS/,
    );
  await expect(keysOf(NEW).toEncrypt(owner)).rejects.toThrow('PAYLOAD_KEYS');
  const other = keysOf(`old:${newKey()}`);
  await expect(other.toDecrypt(owner)).rejects.toThrow('PAYLOAD_KEYS has another key under this id');
  await rewrapDataKeys(repository, parsePayloadKeys(`${NEW},${OLD}`), silent, new AbortController().signal);
  expect((await keysOf(NEW).toDecrypt(owner)).export()).toEqual(key);
  expect(await repository.wrappedByOthers('new', 1)).toEqual([]);
});

it('says where a key should be that is missing', async () => {
  await expect(keysOf(OLD).toDecrypt(newOwner())).rejects.toThrow(
    'restore the collection data_keys from a backup',
  );
});
