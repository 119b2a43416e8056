import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the test files of one Jest process share, one file after the other. */
export interface SharedShop {
  /** A database, which each file finds empty. */
  mongodbUri: string;
  /** The task queue for orders on which a worker process runs. */
  taskQueue: string;
}

/**
 * The environment variable with the folder in which a Jest process asks for a worker, by a file with its number. The
 * worker is a process of its own, because nothing that lives in a Jest process outlives a test file.
 */
const FOLDER = 'TEST_SHARED_SHOPS';

/** Returns the shop that the files of this Jest process share, if there is one. */
export function sharedShop(): SharedShop | undefined {
  const folder = process.env[FOLDER];
  return folder === undefined ? undefined : shopOf(folder, process.env.JEST_WORKER_ID!);
}

/** Makes the worker of the shared shop run soon. Orders wait for it in the queue. */
export function requestSharedWorker(): void {
  writeFileSync(join(process.env[FOLDER]!, process.env.JEST_WORKER_ID!), '');
}

function shopOf(folder: string, number: string): SharedShop {
  const name = `${folder.slice(-6)}-${number}`;
  return { mongodbUri: databaseUri(process.env.MONGODB_URI!, `test_${name}`), taskQueue: `test-${name}` };
}

/** Returns a URI of the given server with the name of a database that nobody else uses. */
export function newDatabaseUri(server: string): string {
  return databaseUri(server, `test_${randomBytes(8).toString('hex')}`);
}

function databaseUri(server: string, name: string): string {
  const uri = new URL(server);
  uri.pathname = `/${name}`;
  return uri.href;
}

/**
 * Lets the files of each Jest process share a shop, and starts its worker when the first file asks for it. Returns a
 * function that ends the workers.
 */
export function provideSharedShops(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'orders-shared-shops-'));
  process.env[FOLDER] = folder;
  const workers = new Map<string, ChildProcess>();
  const watcher = watch(folder, (_event, number) => {
    if (number !== null && !workers.has(number)) workers.set(number, startWorker(shopOf(folder, number)));
  });
  return () => {
    watcher.close();
    for (const worker of workers.values()) worker.removeAllListeners('exit').kill('SIGKILL');
    rmSync(folder, { recursive: true });
  };
}

function startWorker({ mongodbUri, taskQueue }: SharedShop): ChildProcess {
  const worker = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'shared-worker.ts')], {
    env: { ...process.env, MONGODB_URI: mongodbUri, TASK_QUEUE: taskQueue },
    stdio: ['pipe', 'inherit', 'inherit'], // the pipe ends with this process, and the worker with the pipe
  });
  return worker.on('exit', (code, signal) => {
    console.error(
      `The worker that test files share has ended (${signal ?? code}), so the tests cannot continue.`,
    );
    process.exit(1);
  });
}
