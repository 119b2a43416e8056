// Runs Jest with the given arguments. A pattern selects test files by their path in this project: Jest alone would also
// compare it with the path of the project, which mostly contains "orders".
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const WITH_VALUE = new Set([
  '-t',
  '--testNamePattern',
  '-w',
  '--maxWorkers',
  '-c',
  '--config',
  '--selectProjects',
]);

const rootPattern = path.join(ROOT, path.sep).replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const args = process.argv
  .slice(2)
  .map((arg, index, all) =>
    arg.startsWith('-') || WITH_VALUE.has(all[index - 1]) ? arg : `${rootPattern}.*${arg}`,
  );
const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const { status, signal } = spawnSync(process.execPath, [jest, ...args], { cwd: ROOT, stdio: 'inherit' });
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
