import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';
import { temporaryFolder } from '../tools/devstack/fakes';

/** Stands in for npm: notes what it was asked for and does the part of it that matters here. */
const FAKE_NPM = `
const fs = require('node:fs');
const command = process.argv[2] === 'ci' ? 'ci' : process.argv[4];
fs.appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
if (fs.existsSync('fail-' + command)) process.exit(1);
const folder = { ci: 'node_modules', build: 'dist', 'build:client': 'clients/typescript/dist' }[command];
fs.mkdirSync(folder, { recursive: true });
if (command === 'ci') fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;

describe('prepare', () => {
  let root: string;

  beforeEach(async () => {
    root = await temporaryFolder();
    mkdirSync(join(root, 'scripts'));
    copyFileSync(join(PROJECT_ROOT, 'scripts', 'prepare.mjs'), join(root, 'scripts', 'prepare.mjs'));
    write('package.json', JSON.stringify({ engines: { node: '>=20.19' } }));
    writeLock('1.0.0');
    write('src/a.ts', 'a');
    write('npm-cli.js', FAKE_NPM);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(file: string, text: string): void {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const writeLock = (version: string): void =>
    write('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/koa': { version } } }));

  /** Runs it with next to nothing in the environment; returns what npm was asked for. */
  function prepare(...args: string[]): { status: number | null; said: string; asked: string[] } {
    write('npm.log', '');
    const env = { PATH: process.env.PATH, npm_execpath: join(root, 'npm-cli.js') };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts', 'prepare.mjs'), ...args],
      {
        env,
        encoding: 'utf8',
      },
    );
    const asked = readFileSync(join(root, 'npm.log'), 'utf8').split('\n').filter(Boolean);
    return {
      status,
      said: stdout + stderr,
      asked: asked.map((line) => line.replace('run --silent ', '').split(' --')[0]!),
    };
  }

  it('installs and builds in a bare clone, then is silent', () => {
    const first = prepare();
    expect(first.said).toMatch(/npm ci.*done, \d+\.\d s.*npm run build\).*done, \d+\.\d s/s);
    expect(first).toMatchObject({ status: 0, asked: ['ci', 'build', 'build:client'] });
    expect(prepare()).toEqual({ status: 0, said: '', asked: [] });
  });

  it('only installs with --no-build', () => {
    expect(prepare('--no-build')).toMatchObject({ status: 0, asked: ['ci'] });
    expect(prepare('--no-build')).toEqual({ status: 0, said: '', asked: [] });
  });

  it('only builds what a changed source is for', () => {
    prepare();
    write('src/a.ts', 'b');
    expect(prepare().asked).toEqual(['build']);
    write('clients/typescript/src/client.ts', 'c');
    expect(prepare().asked).toEqual(['build:client']);
    write('clients/typescript/src/api.generated.ts', 'made');
    expect(prepare().asked).toEqual([]);
  });

  it('installs again when the lockfile wants another version', () => {
    prepare();
    writeLock('1.0.1');
    expect(prepare().asked[0]).toBe('ci');
  });

  it('does not miss optional packages, which are for other platforms', () => {
    prepare();
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    lock.packages['node_modules/fsevents'] = { version: '1.0.0', optional: true };
    write('package-lock.json', JSON.stringify(lock));
    expect(prepare().asked).toEqual(['build', 'build:client']); // the lockfile has changed, what is installed still fits
  });

  it.each([
    ['ci', /npm ci failed.*registry/],
    ['build', /build failed/],
  ])('fails with one sentence when npm %s fails, and tries again next time', (command, sentence) => {
    write(`fail-${command}`, '');
    expect(prepare()).toMatchObject({ status: 1, said: expect.stringMatching(sentence) });
    rmSync(join(root, `fail-${command}`));
    expect(prepare().asked).toContain(command);
  });

  it('names the Node.js that it needs', () => {
    write('package.json', JSON.stringify({ engines: { node: '>=99.1' } }));
    expect(prepare()).toMatchObject({
      status: 1,
      said: expect.stringContaining('needs Node.js >=99.1'),
      asked: [],
    });
  });
});
