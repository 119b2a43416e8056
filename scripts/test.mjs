// Runs Jest with the given arguments. A pattern selects test files by their path in this project: Jest alone would also
// compare it with the path of the project, which mostly contains "orders".
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const rootPattern = path.join(ROOT, path.sep).replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Rewrites patterns, and leaves options and their values as they are. */
async function argumentsOfJest(given) {
  const args = [...given];
  if (args.includes('--findRelatedTests')) return args; // they are paths of sources
  const rewritten = [];
  while (args.length > 0) {
    const arg = args.shift();
    if (arg === '--') return [...rewritten, ...args.map(selecting)];
    if (!isOption(arg)) rewritten.push(selecting(arg));
    else rewritten.push(arg, ...args.splice(0, await countValues(arg, args)));
  }
  return rewritten;
}

/** Returns the option that selects files. Bound to its value, it also ends the values of the option before it. */
function selecting(pattern) {
  const absolute = path.isAbsolute(pattern) ? pattern : `${rootPattern}.*${pattern.replace(/^\.\//, '')}`;
  return `--testPathPatterns=${absolute}`;
}

/** Returns how many of the following arguments are values of the option. Jest itself knows. */
async function countValues(option, following) {
  const next = following.findIndex(isOption);
  const candidates = following.slice(0, next < 0 ? following.length : next);
  if (candidates.length === 0 || option.includes('=')) return 0;
  const { buildArgv } = createRequire(import.meta.url)('jest');
  const { _: patterns } = await buildArgv([option, ...candidates]);
  return candidates.length - patterns.length;
}

const isOption = (arg) => /^-./.test(arg);

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const args = await argumentsOfJest(process.argv.slice(2));
const { status, signal } = spawnSync(process.execPath, [jest, ...args], { cwd: ROOT, stdio: 'inherit' });
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
