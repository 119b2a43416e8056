import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../devstack/binaries/cache';
import { secondsSince, type Output } from '../devstack/output';
import { createOwnedFolder, removeFolder } from '../devstack/owned-folder';
import { messageOf, SetupError } from '../devstack/project';
import { lastLine, run } from '../devstack/run';

const PYTHON = 'python3';
/** Exact versions with their hashes; its first line says how it is made. */
const REQUIREMENTS = join(__dirname, 'requirements.txt');
const PIP_ARGS = ['install', '--quiet', '--disable-pip-version-check', '--no-input', '--retries', '1'];
const INSTALL_MS = 300_000;

/**
 * The Python of a virtual environment with the schemathesis of requirements.txt, which is made in the user's cache on
 * first use.
 * @throws {SetupError} when Python or the package index cannot be had
 */
export async function findSchemathesis(env: NodeJS.ProcessEnv, output: Output): Promise<string> {
  const requirements = await readFile(REQUIREMENTS);
  const { stdout: version } = await python(['-c', 'import sys; print(*sys.version_info[:2], sep=".")'], env);
  const hash = createHash('sha256').update(requirements).update(version).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(env), `schemathesis-${hash}`);
  if (!existsSync(folder)) await install(folder, env, output);
  return join(folder, 'bin', 'python');
}

/** It is built beside and gets its name when it is whole. Only its Python may be run: other scripts name their path. */
async function install(folder: string, env: NodeJS.ProcessEnv, output: Output): Promise<void> {
  const start = Date.now();
  output.line('schemathesis: making a virtual environment and installing it by pip …');
  const staging = await createOwnedFolder(cacheFolder(env), 'schemathesis-staging-');
  try {
    const venv = join(staging, 'venv');
    await python(['-m', 'venv', venv], env);
    const pip = [...PIP_ARGS, '--require-hashes', '--only-binary', ':all:', '--requirement', REQUIREMENTS];
    await python(['-m', 'pip', ...pip], env, join(venv, 'bin', 'python'));
    await rename(venv, folder).catch(async (error: unknown) => {
      if (!existsSync(folder)) throw error; // else another process was faster, with the same
    });
  } finally {
    await removeFolder(staging);
  }
  output.line(`schemathesis: done, ${secondsSince(start)} → ${folder}`);
}

async function python(
  args: string[],
  env: NodeJS.ProcessEnv,
  executable = PYTHON,
): Promise<{ stdout: string }> {
  const result = await run(executable, args, { env, timeoutMs: INSTALL_MS }).catch((error: unknown) => ({
    code: 1,
    stdout: '',
    stderr: messageOf(error),
  }));
  if (result.code === 0) return result;
  throw new SetupError(
    `it needs ${PYTHON} (3.11 or newer) with venv and pip, and the Python package index: ${lastLine(result.stderr)}`,
  );
}
