import { rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedProcess, type ProcessOptions } from '../../../tools/devstack/managed-process';
import { isAlive } from '../../../tools/owned-folder';
import { until } from '../../../tools/devstack/until';
import { HANG_MS } from '../../support/eventually';
import { temporaryFolder } from './fakes';

const SLEEP = 'console.log("up"); setInterval(() => {}, 1000);';
const STUBBORN = `process.on('SIGTERM', () => console.log('no')); ${SLEEP}`;
const within = <T>(attempt: () => T | undefined) =>
  until(
    HANG_MS,
    async () => attempt(),
    () => new Error('late'),
  );

describe('a managed process', () => {
  let folder: string;
  let managed: ManagedProcess;
  let log: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    log = join(folder, 'test.log');
  });
  afterEach(async () => {
    managed.kill();
    await rm(folder, { recursive: true });
  });

  async function start(script: string, options: Partial<ProcessOptions> = {}): Promise<number> {
    const base = { name: 'test', command: process.execPath, args: ['-e', script], logFile: log };
    managed = new ManagedProcess({ ...base, ...options });
    await managed.start();
    await within(() => readFileSync(log, 'utf8').includes('up') || undefined);
    return managed.pid!;
  }

  it('is restarted after growing waits, and reports its new id', async () => {
    const pids: number[] = [];
    const waits: (number | undefined)[] = [];
    const tell = {
      onStart: (pid: number) => pids.push(pid),
      onDeath: (_: string, ms?: number) => waits.push(ms),
    };
    const first = await start(SLEEP, { restart: true, ...tell });
    process.kill(first, 'SIGKILL');
    await within(() => pids[1]);
    process.kill(pids[1]!, 'SIGKILL');
    await within(() => pids[2]);
    expect(new Set(pids).size).toBe(3);
    expect(waits).toEqual([500, 1_000]);
  });

  it('is not restarted after it was stopped', async () => {
    const pid = await start(SLEEP, { restart: true });
    expect(await managed.stop(HANG_MS)).toBe('stopped');
    expect(isAlive(pid)).toBe(false);
    await expect(managed.start()).rejects.toThrow('being stopped');
  });

  it('is killed if it does not end within the limit', async () => {
    const pid = await start(STUBBORN);
    expect(await managed.stop(300)).toBe('killed');
    expect(isAlive(pid)).toBe(false);
    expect(readFileSync(log, 'utf8')).toContain('no');
  });

  it('names itself if its program is missing', async () => {
    managed = new ManagedProcess({ name: 'test', command: join(folder, 'nothing'), args: [], logFile: log });
    await expect(managed.start()).rejects.toThrow(/^test cannot be started: .*ENOENT/);
  });
});
