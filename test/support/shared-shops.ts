import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
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
 * The environment variable with the folder in which a Jest process asks for a worker, by a file with its number as the
 * name and its process id. The worker is a process of its own, because nothing that lives in a Jest process outlives a test
 * file.
 */
const FOLDER = 'TEST_SHARED_SHOPS';

/** Returns the shop that the files of this Jest process share, if there is one. */
export function sharedShop(): SharedShop | undefined {
  const folder = process.env[FOLDER];
  return folder === undefined ? undefined : shopOf(folder, process.env.JEST_WORKER_ID!);
}

/** Makes the worker of the shared shop run soon. Orders wait for it in the queue. */
export function requestSharedWorker(): void {
  writeFileSync(join(process.env[FOLDER]!, process.env.JEST_WORKER_ID!), String(process.pid));
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
  const start = (number: string) => {
    const worker = startWorker(shopOf(folder, number));
    workers.set(number, worker);
    worker.on('exit', (code, signal) => {
      workers.delete(number);
      failTestFile(join(folder, number), signal ?? code);
    });
  };
  // An event may come without the name of its file.
  const watcher = watch(folder, () =>
    readdirSync(folder).forEach((number) => workers.has(number) || start(number)),
  );
  return () => {
    watcher.close();
    for (const worker of workers.values()) worker.removeAllListeners('exit').kill('SIGKILL');
    rmSync(folder, { recursive: true });
  };
}

function startWorker({ mongodbUri, taskQueue }: SharedShop): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'shared-worker.ts')], {
    env: { ...process.env, MONGODB_URI: mongodbUri, TASK_QUEUE: taskQueue },
    stdio: ['pipe', 'inherit', 'inherit'], // the pipe ends with this process, and the worker with the pipe
  });
}

/**
 * Fails the test file that runs in the Jest process, since its orders would wait for the worker that has ended. Jest reports
 * that it was killed, and continues with the next file, for which another worker is started.
 * @param how the signal or the exit code of the worker
 */
function failTestFile(request: string, how: NodeJS.Signals | number | null): void {
  const pid = Number(readFileSync(request, 'utf8'));
  rmSync(request);
  console.error(
    `The worker that the test files of the Jest process ${pid} share has ended (${how}): its test file is ended, and the run fails.`,
  );
  process.exitCode = 1; // Jest keeps it
  if (pid === process.pid) process.exit(); // with --runInBand, this is the one process
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // Jest has replaced it meanwhile.
  }
}
