import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManagedProcess } from './managed-process';
import { PROJECT_ROOT, SetupError } from '../project';
import { lastLine, run } from '../run';
import { startServer, type ServerCommand, type ServerOptions } from './server-process';
import { HANG_MS, until } from './until';
import { consoleLine, messageIn } from './log-lines';

export type AppOptions = Omit<ServerOptions, 'executable'> & {
  env: NodeJS.ProcessEnv;
  print: (line: string) => void;
};

const PROBE_MS = 2_000;

/**
 * Runs an entry that ends on its own, for example `setup`.
 * @throws {SetupError} with the reason if it fails
 */
export async function runOnce(name: string, options: AppOptions, signal: AbortSignal): Promise<void> {
  const logFile = join(options.logFolder, `${name}.log`);
  const { code, stdout, stderr } = await run(process.execPath, [entry(name)], {
    env: options.env,
    signal,
  });
  await appendFile(logFile, stdout + stderr);
  if (code !== 0) throw new SetupError(`${name} failed: ${explain(stdout + stderr)} (log: ${logFile})`);
}

/** Starts the API and waits until it and its dependencies are ready. */
export function startApi(baseUrl: string, options: AppOptions): Promise<ManagedProcess> {
  return startApp({ name: 'api', args: [entry('server')] }, options, async (check) => {
    const late = (error: unknown): Error =>
      new SetupError(
        `The API is not ready after ${HANG_MS / 60_000} min. ${baseUrl}/health/ready returns: ${String(error)}`,
      );
    await until(HANG_MS, () => probe(`${baseUrl}/health/ready`), late, check);
  });
}

/** Starts the worker and waits until it polls its task queues. */
export function startWorker(options: AppOptions): Promise<ManagedProcess> {
  let polls = false;
  // It says so on level info.
  const env = {
    ...options.env,
    LOG_LEVEL: /^(debug|trace)$/.test(options.env.LOG_LEVEL ?? '') ? options.env.LOG_LEVEL : 'info',
  };
  const onLine = (line: string): void => void (polls ||= messageIn(line) === 'worker started');
  return startApp({ name: 'worker', args: [entry('worker')], onLine }, { ...options, env }, async (check) => {
    const late = (): Error =>
      new SetupError(`The worker does not poll after ${HANG_MS / 60_000} min. See its log.`);
    await until(HANG_MS, async () => polls || undefined, late, check);
  });
}

async function startApp(
  command: Omit<ServerCommand, 'explain' | 'env'>,
  options: AppOptions,
  waitReady: (check: () => void) => Promise<void>,
): Promise<ManagedProcess> {
  let ready = false; // what it logs while starting is shown only if it fails
  const onLine = (line: string): void => {
    command.onLine?.(line);
    const shown = ready ? consoleLine(command.name, line) : undefined;
    if (shown !== undefined) options.print(shown);
  };
  const logFile = join(options.logFolder, `${command.name}.log`);
  const full = { ...command, env: options.env, onLine, explain };
  const app = await startServer(full, { ...options, executable: process.execPath }, logFile, waitReady);
  ready = true;
  return app;
}

/** The path of a built entry. */
export const entry = (name: string): string => join(PROJECT_ROOT, 'dist', 'src', `${name}.js`);

async function probe(url: string): Promise<true> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
  if (response.ok) return true;
  throw new Error(`${response.status} ${(await response.text()).slice(0, 500)}`);
}

/** Returns the last line of a log that the console shows. */
function explain(log: string): string {
  const shown = log.split('\n').map((line) => consoleLine('', line)?.trim());
  return shown.filter((line) => line !== undefined).at(-1) ?? lastLine(log);
}
