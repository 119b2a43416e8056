import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../../output';
import { isAlive } from '../../owned-folder';
import { SetupError } from '../../project';
import { run } from '../../run';

/** The `npm start` that uses a data folder, and the processes that it started. */
interface RunRecord {
  pid: number;
  processes: Record<string, number>;
}

const LEFTOVER_LIMIT_MS = 20_000;
const POLL_MS = 250;
const START = 'npm start';

/**
 * Part of the command line of each process, so that another program with a reused id is not mistaken for it.
 */
const MARKS: Readonly<Record<string, string>> = {
  [START]: 'start.ts',
  api: 'server.js',
  worker: 'worker.js',
  temporal: 'temporal',
  mongodb: 'mongod',
};

/** Marks a data folder as used by this process, so that no second one runs on the same data. */
export class RunFile {
  private readonly processes: Record<string, number> = {};

  private constructor(private readonly file: string) {}

  /**
   * Waits for the processes of a killed run, which are about to end.
   * @throws {SetupError} while another `npm start` uses the folder
   */
  static async acquire(dataFolder: string, output: Output): Promise<RunFile> {
    const file = fileIn(dataFolder);
    const record = readRecord(file);
    if (record && (await isRunning(START, record.pid))) {
      throw new SetupError(
        `${dataFolder} is in use by the npm start with process id ${record.pid}. Stop that one with Ctrl-C, or set ` +
          'DATA_DIR to another folder and PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT and MONGODB_PORT to other ports.',
      );
    }
    if (record) await waitForLeftovers(record, output);
    rmSync(file, { force: true });
    const own = new RunFile(file);
    own.write('wx');
    return own;
  }

  record(name: string, pid: number): void {
    this.processes[name] = pid;
    this.write('w');
  }

  release(): void {
    rmSync(this.file, { force: true });
  }

  private write(flag: 'w' | 'wx'): void {
    const record: RunRecord = { pid: process.pid, processes: this.processes };
    writeFileSync(this.file, `${JSON.stringify(record)}\n`, { flag });
  }
}

/** Returns a running process that uses the data folder, in words; undefined if there is none. */
export async function findUser(dataFolder: string): Promise<string | undefined> {
  const record = readRecord(fileIn(dataFolder));
  if (!record) return undefined;
  const [first] = await running({ [START]: record.pid, ...record.processes });
  return first && `${first[0]} (process id ${first[1]})`;
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'run.json');
}

function readRecord(file: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
  } catch {
    return undefined;
  }
}

async function waitForLeftovers({ processes }: RunRecord, output: Output): Promise<void> {
  const deadline = Date.now() + LEFTOVER_LIMIT_MS;
  let isAnnounced = false;
  for (;;) {
    const left = await running(processes);
    if (left.length === 0) return;
    const names = left.map(([name, pid]) => `${name} pid ${pid}`).join(', ');
    if (!isAnnounced) output.line(`Waiting for processes of the last run, which was killed: ${names} …`);
    isAnnounced = true;
    if (Date.now() > deadline) {
      const pids = left.map(([, pid]) => pid).join(' ');
      throw new SetupError(
        `Processes of the last run, which was killed, are still running: ${names}. End them: kill -9 ${pids}`,
      );
    }
    await delay(POLL_MS);
  }
}

async function running(processes: RunRecord['processes']): Promise<[string, number][]> {
  const entries = Object.entries(processes);
  const flags = await Promise.all(entries.map(([name, pid]) => isRunning(name, pid)));
  return entries.filter((_, index) => flags[index]);
}

async function isRunning(name: string, pid: number): Promise<boolean> {
  if (pid === process.pid || !isAlive(pid)) return false;
  const command = await commandOf(pid);
  return command === undefined || command.includes(MARKS[name] ?? name);
}

/** Returns undefined on systems that do not tell. */
async function commandOf(pid: number): Promise<string | undefined> {
  if (existsSync('/proc/self/cmdline')) return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const listed = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined);
  return listed?.stdout;
}
