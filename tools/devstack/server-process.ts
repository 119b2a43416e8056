import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ManagedProcess, type ProcessOptions } from './managed-process';
import { SetupError } from '../project';

/** Options of a server that this project starts. */
export interface ServerOptions {
  executable: string;
  /** Folder of the log file. */
  logFolder: string;
  restart?: boolean;
  /** Called with each new process id. */
  onSpawn?: (name: string, pid: number) => void;
  /** Called with the new process id after a restart. */
  onRestart?: (name: string, pid: number) => void;
  onDeath?: (name: string, how: string, restartInMs: number | undefined) => void;
  /** Called with the process before it is started, so that it can be stopped whatever happens. */
  register?: (process: ManagedProcess) => void;
}

export interface ServerCommand {
  name: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  onLine?: (line: string) => void;
  /** Returns the line of the log that best explains why it ended. */
  explain(log: string): string;
}

const STOP_MS = 15_000;
const TAIL_BYTES = 16_384;

/**
 * Starts a server and waits until it is ready; it is restarted only after that.
 * @throws {SetupError} with the reason from its log if it dies first
 */
export async function startServer(
  command: ServerCommand,
  options: ServerOptions,
  logFile: string,
  waitReady: (check: () => void) => Promise<void>,
): Promise<ManagedProcess> {
  let ready = false;
  let early: string | undefined;
  const processOptions: ProcessOptions = {
    name: command.name,
    command: options.executable,
    args: command.args,
    env: command.env,
    onLine: command.onLine,
    logFile,
    onStart: (pid) => {
      options.onSpawn?.(command.name, pid);
      if (ready) options.onRestart?.(command.name, pid);
    },
    onDeath: (how, restartInMs) => {
      if (ready) options.onDeath?.(command.name, how, restartInMs);
      else early = how;
    },
    restart: options.restart,
  };
  const server = new ManagedProcess(processOptions);
  options.register?.(server);
  await server.start();
  try {
    await waitReady(() => {
      if (early === undefined) return;
      const reason = command.explain(tail(logFile));
      throw new SetupError(`${command.name} ${early} before it was ready: ${reason} (log: ${logFile})`);
    });
  } catch (error) {
    await server.stop(STOP_MS);
    throw error;
  }
  ready = true;
  return server;
}

function tail(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
