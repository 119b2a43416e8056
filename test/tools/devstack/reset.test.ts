import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reset } from '../../../tools/devstack/reset';
import { temporaryFolder } from './fakes';

describe('npm run reset', () => {
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = await temporaryFolder();
    folder = join(parent, 'data');
    await mkdir(join(folder, 'mongodb'), { recursive: true });
  });
  afterEach(() => rm(parent, { recursive: true }));

  const claim = (record: object) => writeFile(join(folder, 'run.json'), JSON.stringify(record));

  it('removes the data of a run that has ended', async () => {
    await claim({ pid: spawnSync('true').pid, processes: {} });
    expect(await reset(folder)).toBe(`${folder} has been removed.`);
    expect(existsSync(folder)).toBe(false);
    expect(await reset(folder)).toContain('nothing to remove');
  });

  it('rejects data in use', async () => {
    const sleeping = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'mongod']);
    await claim({ pid: spawnSync('true').pid, processes: { mongodb: sleeping.pid } });
    await expect(reset(folder)).rejects.toThrow(`in use by mongodb (process id ${sleeping.pid})`);
    sleeping.kill('SIGKILL');
    expect(existsSync(folder)).toBe(true);
  });

  it('rejects a folder with anything else in it', async () => {
    await writeFile(join(folder, 'letters.txt'), 'mine');
    await expect(reset(folder)).rejects.toThrow('holds letters.txt, which npm start did not make');
    expect(existsSync(join(folder, 'letters.txt'))).toBe(true);
  });
});
