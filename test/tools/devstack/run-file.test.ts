import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunFile } from '../../../tools/devstack/start/run-file';
import { eventually } from '../../support/eventually';
import { collectingOutput, temporaryFolder } from './fakes';

describe('the mark on a data folder in use', () => {
  let folder: string;
  let file: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await temporaryFolder();
    file = join(folder, 'run.json');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  /** Starts a process whose command line looks like one of ours. */
  async function living(mark: string): Promise<ChildProcess & { pid: number }> {
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)', mark]);
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child as ChildProcess & { pid: number };
  }
  const claim = (pid: number, processes: Record<string, number> = {}) =>
    writeFile(file, JSON.stringify({ pid, processes }));
  const acquire = (output = collectingOutput()) => RunFile.acquire(folder, output);

  it('rejects a second npm start', async () => {
    const { pid } = await living('tools/devstack/start.ts');
    await claim(pid);
    await expect(acquire()).rejects.toThrow(`in use by the npm start with process id ${pid}`);
  });

  it('is taken over from a dead one, and from one whose id another program has now', async () => {
    const { pid } = await living('something-else.js');
    await claim(spawnSync('true').pid, { mongodb: pid });
    const own = await acquire();
    own.record('worker', 4_711);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      pid: process.pid,
      processes: { worker: 4_711 },
    });
    own.release();
    expect(existsSync(file)).toBe(false);
  });

  it('waits for the processes of a killed run to end', async () => {
    const mongod = await living('mongod');
    await claim(spawnSync('true').pid, { mongodb: mongod.pid });
    const output = collectingOutput();
    const acquired = acquire(output);
    await eventually(async () => expect(output.lines).toHaveLength(1));
    mongod.kill('SIGKILL');
    await acquired;
    expect(output.lines).toEqual([expect.stringContaining(`mongodb pid ${mongod.pid}`)]);
  });
});
