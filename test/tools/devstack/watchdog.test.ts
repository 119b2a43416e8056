import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { isAlive } from '../../../tools/owned-folder';
import { PROJECT_ROOT } from '../../../tools/project';
import { eventually } from '../../support/eventually';
import { temporaryFolder } from './fakes';

describe('a process whose parent is killed', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('ends too', async () => {
    const parentScript = `
      const { ManagedProcess } = require('./tools/devstack/managed-process.ts');
      const managed = new ManagedProcess({
        name: 'test', command: 'sleep', args: ['60'], logFile: ${JSON.stringify(join(folder, 'test.log'))} });
      managed.start().then(() => console.log(managed.pid));`;
    const parent = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', parentScript], {
      cwd: PROJECT_ROOT,
    });
    const pid = await new Promise<number>((resolve) => {
      createInterface({ input: parent.stdout }).once('line', (line) => resolve(Number(line)));
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(async () => expect(isAlive(pid)).toBe(false));
  });
});
