import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { findExecutable } from '../../tools/devstack/binaries/find';
import { silentOutput } from '../../tools/output';
import { freePorts } from '../../tools/devstack/ports';
import { PROJECT_ROOT } from '../../tools/project';
import { run, type RunResult } from '../../tools/run';
import { TEMPORAL } from '../../tools/devstack/binaries/tools';
import { HANG_MS } from '../support/eventually';

/** `npm start`, as the documentation has it, but on free ports and with data of its own. */
export interface Stack {
  /** What it printed until it was ready for requests and had placed the demo order. */
  readonly output: string;
  /** The same text with the ports of this stack in place of the default ones. */
  withPorts(text: string): string;
  /** Runs a script in the shell that a reader would use, in the root of the project. */
  run(script: string): Promise<RunResult>;
  stop(): Promise<void>;
}

const LAST_LINE = /Ctrl-C stops everything/;

export async function startStack(): Promise<Stack> {
  await run(process.execPath, [join(PROJECT_ROOT, 'scripts', 'prepare.mjs')]); // a build takes longer than ports stay free
  const folder = await mkdtemp(join(tmpdir(), 'orders-docs-'));
  const [port, temporal, temporalUi, mongodb] = (await freePorts(4)) as [number, number, number, number];
  // The servers and the mode of the test run are not a reader's.
  const { MONGODB_URI: _mongodb, TEMPORAL_ADDRESS: _temporal, NODE_ENV: _mode, ...inherited } = process.env;
  const env = {
    ...inherited,
    HOME: folder,
    XDG_CACHE_HOME: inherited.XDG_CACHE_HOME || join(inherited.HOME ?? folder, '.cache'),
    PATH: `${join(folder, 'bin')}:${inherited.PATH}`,
  };
  const ports = new Map([
    ['3000', port],
    ['7233', temporal],
    ['8233', temporalUi],
    ['27017', mongodb],
  ]);
  const withPorts = (text: string) =>
    text.replace(/\b(localhost|127\.0\.0\.1):(\d+)\b/g, (address, host, name) =>
      ports.has(name) ? `${host}:${ports.get(name)}` : address,
    );

  await mkdir(join(folder, 'bin'));
  const command = await findExecutable(TEMPORAL, { env, output: silentOutput });
  await symlink(command, join(folder, 'bin', 'temporal'));

  const started = spawn('npm', ['start'], {
    cwd: PROJECT_ROOT,
    detached: true, // a process group, which Ctrl-C in a terminal signals as a whole
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...env,
      DATA_DIR: join(folder, 'data'),
      PORT: String(port),
      TEMPORAL_PORT: String(temporal),
      TEMPORAL_UI_PORT: String(temporalUi),
      MONGODB_PORT: String(mongodb),
      // A slow machine places the demo order late, but shows what the README does.
      PLACE_ORDER_TIMEOUT_MS: String(HANG_MS),
      PAYLOAD_KEYS: `docs:${randomBytes(32).toString('base64')}`,
    },
  });
  const stop = async () => {
    if (started.exitCode === null && started.signalCode === null) {
      const ended = once(started, 'exit');
      process.kill(-started.pid!, 'SIGINT');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const output = await readUntil(started, LAST_LINE);
    return {
      output,
      withPorts,
      run: (script) =>
        run('bash', ['-euo', 'pipefail', '-c', withPorts(script)], {
          cwd: PROJECT_ROOT,
          env: { ...env, DATA_DIR: join(folder, 'data'), TEMPORAL_ADDRESS: `127.0.0.1:${temporal}` },
          timeoutMs: HANG_MS,
        }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws when the process ends before it prints such a line */
function readUntil(started: ChildProcess, line: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (line.test(output)) resolve(output);
    };
    started.stdout!.on('data', read);
    started.stderr!.on('data', read);
    started.once('exit', (code) => reject(new Error(`npm start exited with ${code}:\n${output}`)));
  });
}
