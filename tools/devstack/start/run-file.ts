import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../run';
import { isAlive } from '../../owned-folder';
import type { Output } from '../../output';
import { SetupError } from '../../project';

/** Who uses a data folder: the `npm start` with this id, and what it started. */
interface RunRecord {
  pid: number;
  processes: Record<string, number>;
}

const LEFTOVER_LIMIT_MS = 20_000;
const POLL_MS = 250;

/** What the command line of each process contains, so that a reused process id is not mistaken for it. */
const MARKS: Readonly<Record<string, string>> = {
  start: 'start.ts',
  api: 'server.js',
  worker: 'worker.js',
  temporal: 'temporal',
  mongodb: 'mongod',
};

/** Marks a data folder as used by this process, so that no second one runs on the same data. */
export class RunFile {
  private readonly processes: Record<string, number> = {};

  private constructor(private readonly file: string) {}

  /** Waits for what a killed run left behind and is just ending; throws while a living one uses the folder. */
  static async acquire(dataFolder: string, output: Output): Promise<RunFile> {
    const file = join(dataFolder, 'run.json');
    const record = readRecord(file);
    if (record && (await isRunning('start', record.pid))) {
      throw new SetupError(
        `${dataFolder} is in use by the npm start with process id ${record.pid}; stop that one with Ctrl-C, or set DATA_DIR to another folder and other ports (PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, MONGODB_PORT)`,
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

function readRecord(file: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
  } catch {
    return undefined;
  }
}

async function waitForLeftovers(record: RunRecord, output: Output): Promise<void> {
  const deadline = Date.now() + LEFTOVER_LIMIT_MS;
  let said = false;
  for (;;) {
    const left = await leftovers(record);
    if (left.length === 0) return;
    const names = left.map(([name, pid]) => `${name} pid ${pid}`).join(', ');
    if (!said) output.line(`the last run was killed, its processes are still ending (${names}), waiting …`);
    said = true;
    if (Date.now() > deadline) {
      const pids = left.map(([, pid]) => pid).join(' ');
      throw new SetupError(
        `the last run was killed and left processes behind (${names}); end them: kill -9 ${pids}`,
      );
    }
    await delay(POLL_MS);
  }
}

async function leftovers(record: RunRecord): Promise<[string, number][]> {
  const entries = Object.entries(record.processes);
  const running = await Promise.all(entries.map(([name, pid]) => isRunning(name, pid)));
  return entries.filter((_, index) => running[index]);
}

async function isRunning(name: string, pid: number): Promise<boolean> {
  if (pid === process.pid || !isAlive(pid)) return false;
  const command = await commandOf(pid);
  return command === undefined || command.includes(MARKS[name] ?? name);
}

/** undefined when this machine does not tell */
async function commandOf(pid: number): Promise<string | undefined> {
  if (existsSync('/proc/self/cmdline')) return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const listed = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined);
  return listed?.stdout;
}
