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
  mkdirSync(join(root, 'node_modules', 'jest', 'bin'), { recursive: true });
  writeFileSync(
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;',
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

it('a pattern selects files by their path in the project, and not by the name of its folder', () => {
  const [pattern] = run('orders').asked;
  const selects = (file: string) => new RegExp(pattern!).test(join(root, file));
  expect(selects('test/orders/cost.test.ts')).toBe(true);
  expect(selects('test/domain/money.test.ts')).toBe(false);
});

it('options and their values reach Jest unchanged, and its exit code is returned', () => {
  expect(run('--verbose', '-t', 'an order')).toEqual({ asked: ['--verbose', '-t', 'an order'], status: 7 });
});
