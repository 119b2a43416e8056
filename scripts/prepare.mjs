// Runs before `npm start`, `npm test` and others: installs and builds what is missing or stale, and says
// nothing if there is nothing to do. It has no dependencies, because it must work in a fresh clone. With `--no-build` it
// only installs, for commands that run from source.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BUILDS = [
  {
    script: 'build',
    output: 'dist',
    inputs: [
      'src',
      'workflows',
      'activities',
      'scripts/bundle-workflows.ts',
      'scripts/workflow-bundle-options.ts',
      'tsconfig.json',
      'tsconfig.build.json',
    ],
  },
  {
    script: 'build:client',
    output: 'clients/typescript/dist',
    inputs: [
      'docs/openapi.json',
      'clients/typescript/src',
      'clients/typescript/tsconfig.json',
      'scripts/build-client.ts',
      'tools/clients/typescript-sources.ts',
    ],
  },
];
const LOCK_POLL_MS = 250;
const needsBuild = !process.argv.includes('--no-build');

class PrepareError extends Error {}

function prepare() {
  requireNode(readJson('package.json').engines.node);
  if (!installIsStale() && !BUILDS.some(buildIsStale)) return;
  withLock(() => {
    if (installIsStale()) step('Installing dependencies (npm ci)', install);
    for (const one of BUILDS) {
      if (buildIsStale(one)) step(`Building (npm run ${one.script})`, () => build(one));
    }
  });
}

function requireNode(range) {
  const [major, minor] = /(\d+)\.(\d+)/.exec(range).slice(1).map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  throw new PrepareError(
    `This project needs Node.js ${range}, but this is ${process.versions.node}; install a newer one from https://nodejs.org or run "nvm install".`,
  );
}

/** npm writes its own lockfile into node_modules as the last step of an install: compare the two. */
function installIsStale() {
  const wanted = readJson('package-lock.json');
  const installed = readJson('node_modules/.package-lock.json');
  if (!wanted || !installed) return true;
  return Object.entries(wanted.packages).some(([folder, entry]) => {
    const found = installed.packages[folder];
    if (folder === '' || (!found && entry.optional)) return false; // optional: for other platforms
    return !found || found.version !== entry.version || found.integrity !== entry.integrity;
  });
}

function install() {
  // NODE_ENV=production would leave out what the build needs; no dependency needs an install script.
  npm(['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']);
}

function buildIsStale(one) {
  if (!needsBuild) return false;
  const stamp = stampOf(one);
  return !fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== hashOfSources(one);
}

function build(one) {
  const hash = hashOfSources(one);
  npm(['run', '--silent', one.script]);
  fs.writeFileSync(stampOf(one), hash);
}

function stampOf({ output }) {
  return path.join(ROOT, output, '.sources.sha256');
}

function hashOfSources({ inputs }) {
  const hash = createHash('sha256').update(readText('package-lock.json'));
  for (const file of inputs.flatMap((input) => filesIn(input)).sort()) {
    hash.update(`\0${file}\0`).update(readText(file));
  }
  return hash.digest('hex');
}

function filesIn(relative) {
  const absolute = path.join(ROOT, relative);
  const stats = fs.statSync(absolute, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [relative];
  return fs.readdirSync(absolute).flatMap((name) => (isMade(name) ? [] : filesIn(path.join(relative, name))));
}

/** Whether a source is itself made by a build. */
function isMade(name) {
  return name.includes('.generated.');
}

/** The very npm that runs this script, if one does; it need not be on PATH. */
function npm(args) {
  const cli = process.env.npm_execpath;
  const own = cli && path.basename(cli) === 'npm-cli.js';
  const [command, first] = own ? [process.execPath, [cli]] : ['npm', []];
  const result = spawnSync(command, [...first, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (result.error)
    throw new PrepareError(`npm cannot be run (${result.error.message}); is it installed and on PATH?`);
  if (result.signal) throw new PrepareError(`npm ${args[0]} was ended by ${result.signal}.`);
  if (result.status !== 0) throw new PrepareError(adviceFor(args[0]));
}

function adviceFor(command) {
  return command === 'ci'
    ? 'npm ci failed, its message is above; check that the npm registry can be reached ("npm ping") and try again.'
    : 'The build failed, its message is above; correct what it names and try again.';
}

function step(what, action) {
  const start = Date.now();
  console.log(`${what} …`);
  action();
  console.log(`${what}: done, ${((Date.now() - start) / 1_000).toFixed(1)} s`);
}

/** `npm start` and `npm test` may be started at once in one clone; one installs, the other waits. */
function withLock(action) {
  const lock = path.join(
    os.tmpdir(),
    `prepare-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}.lock`,
  );
  let waiting = false;
  while (!takeLock(lock)) {
    if (!waiting) console.log(`Another process (see ${lock}) is preparing this folder, waiting for it …`);
    waiting = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
  try {
    action();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function takeLock(lock) {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (ownerIsDead(lock)) fs.rmSync(lock, { force: true });
    return false;
  }
}

function ownerIsDead(lock) {
  try {
    const owner = Number(fs.readFileSync(lock, 'utf8'));
    process.kill(owner || process.pid, 0); // still empty: its owner is just writing it
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function readText(relative) {
  return fs.readFileSync(path.join(ROOT, relative), 'utf8');
}

function readJson(relative) {
  try {
    return JSON.parse(readText(relative));
  } catch {
    return undefined;
  }
}

try {
  prepare();
} catch (error) {
  if (!(error instanceof PrepareError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
