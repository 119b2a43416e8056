import { spawnSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from '../../../tools/cache';
import { ManagedProcess } from '../../../tools/devstack/managed-process';
import { freePorts } from '../../../tools/devstack/ports';
import { lastLine } from '../../../tools/run';
import { PLATFORM } from '../../../tools/devstack/binaries/tools';
import { until } from '../../../tools/devstack/until';
import { HANG_MS } from '../../support/eventually';

const VERSION = '0.203.0';
const GO = 'go';
const MODULE = 'github.com/stripe/stripe-mock';
const INSTALL_TIMEOUT_MS = 300_000;

export type Found = { executable: string } | { reason: string };

/**
 * Finds stripe-mock on PATH or in the user's cache, or lets Go build it into the cache, which takes up to two
 * minutes once per machine. It is synchronous, because a test file must know the result when it declares its
 * tests.
 */
export function findStripeMock(env: NodeJS.ProcessEnv = process.env): Found {
  const cached = join(cacheFolder(env), `stripe-mock-${VERSION}-${PLATFORM}`);
  const onPath = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'stripe-mock'));
  const executable = [...onPath, cached].find(isExecutable);
  return executable === undefined ? install(cached, env) : { executable };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Builds in a temporary folder first, so that the cache never has an incomplete program. */
function install(target: string, env: NodeJS.ProcessEnv): Found {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-mock-build-'));
  try {
    const { error, status, stderr } = spawnSync(GO, ['install', `${MODULE}@v${VERSION}`], {
      env: { ...env, GOBIN: folder },
      encoding: 'utf8',
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (error) return { reason: `it is not on PATH, and Go cannot build it (${error.message})` };
    if (status !== 0) return { reason: `it is not on PATH, and go install failed (${lastLine(stderr)})` };
    mkdirSync(dirname(target), { recursive: true });
    const staged = `${target}.${process.pid}`; // in the same folder, so that the rename is atomic
    copyFileSync(join(folder, 'stripe-mock'), staged);
    renameSync(staged, target);
    return { executable: target };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface StripeMock {
  port: number;
  stop(): Promise<void>;
}

export async function startStripeMock(executable: string): Promise<StripeMock> {
  const [port] = (await freePorts(1)) as [number];
  const folder = mkdtempSync(join(tmpdir(), 'stripe-mock-'));
  const mock = new ManagedProcess({
    name: 'stripe-mock',
    command: executable,
    // It also serves HTTPS, on a fixed port unless the address names none.
    args: ['-http-addr', `127.0.0.1:${port}`, '-https-addr', '127.0.0.1:'],
    logFile: join(folder, 'stripe-mock.log'),
  });
  await mock.start();
  await until(
    HANG_MS,
    async () => (await fetch(`http://127.0.0.1:${port}/`)).status,
    (error) => new Error(`stripe-mock does not respond on port ${port}: ${String(error)}`),
  );
  return {
    port,
    async stop() {
      await mock.stop(HANG_MS);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
