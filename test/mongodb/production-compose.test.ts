import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mongo } from 'mongoose';
import pino from 'pino';
import { parse } from 'yaml';
import { openMongoDb } from '../../src/mongodb/mongodb';
import { createIndexes } from '../../src/setup/indexes';
import { findExecutable } from '../../tools/devstack/binaries/find';
import { MONGODB } from '../../tools/devstack/binaries/tools';
import { freePorts } from '../../tools/devstack/ports';
import { createOutput } from '../../tools/output';
import { PROJECT_ROOT } from '../../tools/project';
import { eventually } from '../support/eventually';

/** What this test reads of docker-compose.production.yml, whose tags for Compose it ignores. */
interface Compose {
  'x-production': { environment: { MONGODB_URI: string } };
  services: {
    'mongodb-keys': { command: [string] };
    mongodb: { command: string[] };
  };
  configs: { 'mongodb-user': { content: string } };
}

interface NewUser {
  user: string;
  pwd: string;
  roles: string[];
}

const compose = parse(readFileSync(join(PROJECT_ROOT, 'docker-compose.production.yml'), 'utf8'), {
  logLevel: 'silent',
}) as Compose;
const [PASSWORD, ROOT_PASSWORD] = ['a0b1c2d3e4f5', 'f5e4d3c2b1a0'];

let folder: string;
let port: number;
let executable: string;
let server: ChildProcess | undefined;

/** Puts what the containers have in volumes into the folder of this test. */
const here = (text: string) =>
  text
    .replaceAll('/run/mongodb-keys', join(folder, 'keys'))
    .replaceAll('/run/mongodb', join(folder, 'authority'));

function makeKeys(): void {
  const script = here(compose.services['mongodb-keys'].command[0])
    .replaceAll('$$', '$')
    .replace(/^chown 999:999 .*$/m, ''); // the image's user, whom this machine may not have
  execFileSync('bash', ['-euc', script], { stdio: 'pipe' });
}

async function start(...args: string[]): Promise<void> {
  const own = ['--port', String(port), '--dbpath', join(folder, 'data'), '--nounixsocket'];
  server = spawn(executable, [...args, ...own], { stdio: 'ignore' });
}

async function stop(): Promise<void> {
  if (!server || server.exitCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

async function withClient<T>(uri: string, work: (client: mongo.MongoClient) => Promise<T>): Promise<T> {
  const client = new mongo.MongoClient(uri, { serverSelectionTimeoutMS: 2_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Creates the users as the image does, in a server of its own without a password. */
async function createUsers(): Promise<void> {
  await start('--bind_ip', '127.0.0.1');
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  await eventually(() => withClient(uri, (client) => client.db('admin').command({ ping: 1 })));
  const created: [database: string, user: NewUser][] = [];
  const db = {
    getSiblingDB: (name: string) => ({ createUser: (user: NewUser) => created.push([name, user]) }),
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is our own file, which mongosh runs in the image
  const run = new Function('db', 'process', compose.configs['mongodb-user'].content) as (
    ...args: unknown[]
  ) => void;
  run(db, { env: { MONGODB_PASSWORD: PASSWORD } });
  created.push(['admin', { user: 'root', pwd: ROOT_PASSWORD, roles: ['root'] }]);
  await withClient(uri, async (client) => {
    for (const [database, { user, ...fields }] of created)
      await client.db(database).command({ createUser: user, ...fields });
  });
  await stop();
}

const tls = () => `tls=true&tlsCAFile=${join(folder, 'authority', 'ca.pem')}`;

/** Initiates the replica set, as the health check of the container does. */
async function initiate(): Promise<void> {
  const uri = `mongodb://root:${ROOT_PASSWORD}@localhost:${port}/?authSource=admin&directConnection=true&${tls()}`;
  const members = [{ _id: 0, host: `localhost:${port}` }];
  await eventually(() =>
    withClient(uri, async (client) => {
      const admin = client.db('admin');
      const { isWritablePrimary } = await admin.command({ hello: 1 });
      if (isWritablePrimary) return;
      await admin.command({ replSetInitiate: { _id: 'rs0', members } }).catch(() => undefined);
      throw new Error('there is no primary yet');
    }),
  );
}

function applicationUri(): string {
  return here(compose['x-production'].environment.MONGODB_URI)
    .replace(/\$\{MONGODB_PASSWORD[^}]*\}/, PASSWORD)
    .replace('mongodb:27017', `localhost:${port}`);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'production-compose-'));
  for (const name of ['keys', 'authority', 'data']) mkdirSync(join(folder, name));
  [port] = (await freePorts(1)) as [number];
  executable = await findExecutable(MONGODB, { env: process.env, output: createOutput() });
  makeKeys();
  await createUsers();
  const [, ...args] = compose.services.mongodb.command;
  await start(...args.filter((arg) => arg !== '--bind_ip_all').map(here), '--bind_ip', '127.0.0.1');
  await initiate();
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

it('keeps the certificate and its key, forgets the key of the authority, and makes neither twice', () => {
  const certificate = readFileSync(join(folder, 'keys', 'server.pem'), 'utf8');
  expect(readdirSync(join(folder, 'keys')).filter((name) => name.endsWith('.key'))).toEqual([
    'replica-set.key',
  ]);
  expect(readdirSync(join(folder, 'authority'))).toEqual(['ca.pem']);
  makeKeys();
  expect(readFileSync(join(folder, 'keys', 'server.pem'), 'utf8')).toBe(certificate);
  expect(existsSync(join(folder, 'keys', 'authority.key'))).toBe(false);
});

it('lets the processes do all that they do, in their own database and in no other', async () => {
  const mongodb = openMongoDb({ uri: applicationUri() }, pino({ level: 'silent' }));
  await mongodb.connected;
  const { connection } = mongodb;
  await createIndexes(connection);
  const things = connection.collection('things');
  const changes = things.watch();
  await changes.tryNext(); // opens it
  await connection.transaction(async (session) => void (await things.insertOne({ a: 1 }, { session })));
  expect(await changes.next()).toMatchObject({ operationType: 'insert' });
  await changes.close();
  const unauthorized = { codeName: 'Unauthorized' };
  const other = connection.getClient().db('other');
  await expect(other.collection('things').insertOne({ a: 1 })).rejects.toMatchObject(unauthorized);
  await expect(
    connection.db!.command({ createUser: 'x', pwd: 'x', roles: ['readWrite'] }),
  ).rejects.toMatchObject(unauthorized);
  await mongodb.close();
});

it.each([
  ['without TLS', () => applicationUri().replace(/&tls=true.*$/, '')],
  ['that trust nobody in particular', () => applicationUri().replace(/&tlsCAFile=.*$/, '')],
  ['with another password', () => applicationUri().replace(PASSWORD, 'x')],
])('rejects clients %s', async (_what, uri) => {
  const asking = withClient(uri(), (client) => client.db('orders').collection('things').findOne());
  await expect(asking).rejects.toThrow();
});

it('answers nobody without a password', async () => {
  const uri = `mongodb://localhost:${port}/?directConnection=true&${tls()}`;
  const asking = withClient(uri, (client) => client.db('orders').collection('things').findOne());
  await expect(asking).rejects.toMatchObject({ codeName: 'Unauthorized' });
});
