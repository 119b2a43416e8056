import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onceInCache } from './cache';
import { secondsSince, type Output } from './output';
import { messageOf, SetupError } from './project';
import { lastLine, run, type RunOptions, type RunResult } from './run';

const PYTHON = 'python3';
const PIP = '-m pip --disable-pip-version-check --no-cache-dir --no-input --retries 1'.split(' ');
/** Installs nothing whose hash is not named, and runs no code of packages to build them. */
const PINNED = ['--no-deps', '--only-binary', ':all:', '--require-hashes'];
const INSTALL_MS = 300_000;

/** Packages of the Python index in a folder of the user's cache. */
export interface PythonPackages {
  folder: string;
  /** Runs one of their modules. */
  command: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Installs the packages of a requirements file, all pinned by version and hash, once per user.
 * @param name of their folder in the cache
 * @throws {SetupError} without Python and pip, or when the index cannot be reached
 */
export async function pythonPackages(
  name: string,
  requirements: string,
  env: NodeJS.ProcessEnv,
  output: Output,
): Promise<PythonPackages> {
  const { stdout: version } = await python(['-c', 'import sys; print(*sys.version_info[:2])'], { env });
  const pinned = await readFile(requirements);
  const hash = createHash('sha256').update(pinned).update(version).digest('hex').slice(0, 12);
  const folder = await onceInCache(`${name}-${hash}`, env, async (staging) => {
    const start = Date.now();
    output.line(`${name}: installing it by pip …`);
    const target = join(staging, 'packages');
    await mkdir(target);
    const args = ['install', '--quiet', '--root-user-action=ignore', '--target', target];
    await pip(args, requirements, { env, timeoutMs: INSTALL_MS });
    output.line(`${name}: done, ${secondsSince(start)}`);
    return target;
  });
  return { folder, command: PYTHON, env: { ...env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' } };
}

/**
 * Runs pip on a requirements file whose packages are all pinned by hash.
 * @throws {SetupError} with the last line of what it says when it fails
 */
export async function pip(args: string[], requirements: string, options: RunOptions): Promise<RunResult> {
  const [command, ...rest] = args as [string, ...string[]];
  return python([...PIP, command, ...PINNED, '-r', requirements, ...rest], options);
}

/** @throws {SetupError} when Python is missing or the program fails */
export async function python(args: string[], options: RunOptions): Promise<RunResult> {
  const failed = (error: unknown): RunResult => ({ code: 1, stdout: '', stderr: messageOf(error) });
  const result = await run(PYTHON, args, options).catch(failed);
  if (result.code === 0) return result;
  throw new SetupError(
    `This needs ${PYTHON} with pip, and the Python package index: ${lastLine(result.stderr) || 'it does not run'}.`,
  );
}
