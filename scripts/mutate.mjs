// Changes the code of the domain in every way that Stryker knows, one change at a time, and reports those that no test notices.
// Arguments are the sources to change, which are all of stryker.config.mjs by default: files, patterns or lines of a
// file (`src/domain/money.ts:20-30`). What follows the first option is passed to Stryker.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const given = process.argv.slice(2);
const firstOption = given.findIndex((argument) => argument.startsWith('-'));
const options = firstOption < 0 ? [] : given.splice(firstOption);
const mutate = given.length > 0 ? ['--mutate', given.join(',')] : [];
const stryker = path.join(ROOT, 'node_modules', '.bin', 'stryker');
const { status, signal } = spawnSync(stryker, ['run', ...mutate, ...options], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
