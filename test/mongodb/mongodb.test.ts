import mongoose, { mongo } from 'mongoose';
import pino from 'pino';
import { createLogger } from '../../src/logger/logger';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { isDuplicateKey, isUnavailableError } from '../../src/mongodb/errors';
import { createUserModel } from '../../src/users/users.model';
import { eventually } from '../support/eventually';
import { openMongodbProxy } from '../support/mongodb-proxy';

const logger = pino({ level: 'silent' });

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('openMongoDb', () => {
  it('starts without a server, reports it as unavailable, and connects once it is up', async () => {
    const reserved = await openMongodbProxy();
    await reserved.close();
    const mongodb = openMongoDb(
      { uri: `mongodb://127.0.0.1:${reserved.port}/proxy?directConnection=true` },
      logger,
    );
    const users = createUserModel(mongodb.connection);
    await expect(mongodb.ping()).rejects.toThrow('not connected');
    expect(mongodb.isUnavailable(await errorOf(users.findOne()))).toBe(true);

    const proxy = await openMongodbProxy(reserved.port);
    await mongodb.connected;
    await mongodb.ping();
    await expect(users.findOne({ email: 'unknown' })).resolves.toBeNull();
    await mongodb.close();
    await proxy.close();
  });

  it('reports an outage as unavailable, logs what it fails of, and works again after it', async () => {
    const proxy = await openMongodbProxy();
    const lines: unknown[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line));
    const logger = createLogger({ env: 'test', logLevel: 'warn' }, { write });
    const mongodb = openMongoDb(
      { uri: `mongodb://127.0.0.1:${proxy.port}/proxy?directConnection=true` },
      logger,
    );
    const users = createUserModel(mongodb.connection);
    await mongodb.connected;
    await proxy.close();
    expect(mongodb.isUnavailable(await errorOf(users.findOne()))).toBe(true);
    const state = { role: 'ADMIN', status: 'active', tokenVersion: 0 } as const;
    const user = { _id: 'x', email: 'x', name: 'x', passwordHash: 'x', ...state };
    expect(mongodb.isUnavailable(await errorOf(users.create(user)))).toBe(true);
    await eventually(async () => {
      const failure: unknown = expect.objectContaining({ message: expect.stringMatching(/\S/) });
      expect(lines).toContainEqual(expect.objectContaining({ msg: 'MongoDB is unreachable', err: failure }));
    });
    const again = await openMongodbProxy(proxy.port);
    await eventually(() => mongodb.ping());
    await expect(users.findOne({ email: 'unknown' })).resolves.toBeNull();
    await mongodb.close();
    await again.close();
  });

  it('closes while it is still trying to connect', async () => {
    const mongodb = openMongoDb(
      { uri: 'mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=50' },
      logger,
    );
    await mongodb.close();
    expect(mongodb.connection.readyState).toBe(0);
  });

  it('uses the database "orders" when the URI names none', async () => {
    const uri = new URL(process.env.MONGODB_URI!);
    uri.pathname = '/';
    const mongodb = openMongoDb({ uri: uri.href }, logger);
    await mongodb.connected;
    expect(mongodb.connection.name).toBe('orders');
    await mongodb.close();
  });

  it('rejects filters with unknown fields and operators from input', async () => {
    const uri = new URL(process.env.MONGODB_URI!);
    uri.pathname = '/test_filters';
    const mongodb = openMongoDb({ uri: uri.href }, logger);
    await mongodb.connected;
    const users = createUserModel(mongodb.connection);
    await expect(users.findOne({ nonsense: 1 } as never)).rejects.toThrow('strictQuery');
    await expect(users.findOne({ email: { $gt: '' } })).rejects.toThrow('Cast to string failed');
    await mongodb.close();
  });
});

class WaitQueueTimeout extends mongo.MongoError {
  override get name(): string {
    return 'MongoWaitQueueTimeoutError';
  }
}

/** Returns what the driver throws for a bulk write that an error has ended. */
const bulkWriteEndedBy = (error: Error) =>
  new mongo.MongoBulkWriteError(error as never, {} as mongo.BulkWriteResult);

describe('an error of the driver', () => {
  const labelled = new mongo.MongoServerError({ message: 'stepping down', code: 10_107 });
  labelled.addErrorLabel(mongo.MongoErrorLabel.RetryableWriteError);

  it.each([
    ['a lost connection', new mongo.MongoNetworkError('reset'), true],
    ['a primary that steps down', labelled, true],
    ['a bulk write whose connection is lost', bulkWriteEndedBy(new mongo.MongoNetworkError('reset')), true],
    [
      'a bulk write that is wrong',
      bulkWriteEndedBy(new mongo.MongoServerError({ message: 'bad', code: 2 })),
      false,
    ],
    ['a full pool', new WaitQueueTimeout('wait'), true],
    ['a socket closed by the server', Object.assign(new Error('ended'), { code: 'EPIPE' }), true],
    ['a wrong operation', new mongo.MongoServerError({ message: 'bad', code: 2 }), false],
    ['a programming error', new TypeError('undefined is not a function'), false],
    ['a failed validation', new mongoose.Error.ValidationError(), false],
  ])('for %s means unavailable: %p', (_what, error, expected) => {
    expect(isUnavailableError(error)).toBe(expected);
  });

  it.each([
    ['the primary is unknown', [10_107, 13_435, 13_436]],
    ['the primary steps down or its state changes', [189, 11_602]],
    ['no member may be read', [133, 134, 246]],
    ['another server of the cluster cannot be reached', [6, 7, 89, 9_001]],
    ['the server stops', [91, 11_600]],
    ['the time is up', [50, 262]],
  ])('means unavailable when a read fails because %s: codes %j', (_why, codes) => {
    const errors = codes.map((code) => new mongo.MongoServerError({ message: 'failed', code }));
    expect(errors.map(isUnavailableError)).toEqual(codes.map(() => true));
  });

  it('for a duplicate key is told from all others', () => {
    expect(isDuplicateKey(new mongo.MongoServerError({ message: 'dup', code: 11_000 }))).toBe(true);
    expect(isDuplicateKey(labelled)).toBe(false);
  });
});
