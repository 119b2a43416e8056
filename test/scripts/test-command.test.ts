import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';
import { temporaryFolder } from '../tools/devstack/fakes';

let root: string;
beforeEach(async () => {
  root = join(await temporaryFolder(), 'orders-management-system');
  mkdirSync(join(root, 'scripts'), { recursive: true });
  cpSync(join(PROJECT_ROOT, 'scripts', 'test.mjs'), join(root, 'scripts', 'test.mjs'));
  const jest = join(root, 'node_modules', 'jest');
  mkdirSync(join(jest, 'bin'), { recursive: true });
  writeFileSync(
    join(jest, 'bin', 'jest.js'),
    'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;',
  );
  writeFileSync(
    join(jest, 'index.js'),
    `module.exports = require(${JSON.stringify(require.resolve('jest'))})`,
  );
});
afterEach(() => rmSync(join(root, '..'), { recursive: true }));

/** Returns the arguments that Jest gets, and the exit code. */
function run(...args: string[]): { asked: string[]; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { asked: JSON.parse(stdout) as string[], status };
}

/** Returns the arguments without those that select files, and which of two files they select, as Jest does. */
function selection(...args: string[]): { options: string[]; selected: string[] } {
  const { asked } = run(...args);
  const option = '--testPathPatterns=';
  const patterns = asked.filter((arg) => arg.startsWith(option)).map((arg) => arg.slice(option.length));
  return {
    options: asked.filter((arg) => !arg.startsWith(option)),
    selected: [ORDERS, MONEY].filter((file) =>
      patterns.some((pattern) => new RegExp(pattern, 'i').test(join(root, file))),
    ),
  };
}

const ORDERS = 'test/orders/cost.test.ts';
const MONEY = 'test/domain/money.test.ts';

it('a pattern selects files by their path in the project, and not by the name of its folder', () => {
  expect(selection('orders')).toEqual({ options: [], selected: [ORDERS] });
});

it.each([
  ['a path', () => MONEY],
  ['a path that begins with ./', () => `./${MONEY}`],
  ['an absolute path', () => join(root, MONEY)],
])('%s selects its file', (_, path) => {
  expect(selection(path())).toEqual({ options: [], selected: [MONEY] });
});

it('several patterns select what matches any of them', () => {
  expect(selection('money', 'cost')).toEqual({ options: [], selected: [ORDERS, MONEY] });
});

it.each([
  ['an option that ends with its value', ['--selectProjects=unit'], ['money']],
  ['an option without a value', ['--verbose'], ['money']],
  ['an option and its value', ['-t', 'an order'], ['money']],
  ['the end of the options', ['--coverage'], ['--', 'money']],
])('a pattern after %s selects files', (_, options, patterns) => {
  expect(selection(...options, ...patterns)).toEqual({ options, selected: [MONEY] });
});

it.each([
  ['an option with a value', ['--verbose', '-t', 'an order']],
  ['an option that few use, with a value', ['--shard', '1/2', '--testTimeout', '1000']],
  ['an option with several values', ['--selectProjects', 'unit', 'servers', '--silent']],
  ['an option that takes all patterns', ['--findRelatedTests', 'src/server.ts']],
])('%s reaches Jest unchanged', (_, args) => {
  expect(run(...args).asked).toEqual(args);
});

it('returns the exit code of Jest', () => {
  expect(run().status).toBe(7);
});

it.each(['-1', '1.5', '2147483648', 'x'])('TEST_SEED=%s is rejected', (TEST_SEED) => {
  const { stderr, status } = spawnSync(process.execPath, ['jest.config.js'], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, TEST_SEED },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining('TEST_SEED must be an integer from 0 to 2147483647'),
  ]);
});
