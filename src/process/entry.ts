import { createLogger, inOrder } from '../logger/logger';

export interface EntryOptions {
  failureCode?: number;
  /** Whether a person reads the failure, and not a log; by default if it is printed on a terminal. */
  isForPeople?: boolean;
}

/** Runs an entry with the environment. A failure is one line on standard error, and this exit code. */
export function runEntry(
  main: (env: NodeJS.ProcessEnv) => Promise<void>,
  { failureCode = 1, isForPeople = process.stderr.isTTY }: EntryOptions = {},
): void {
  main(process.env).catch((error: unknown) => {
    if (isForPeople) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    else logFailure(error);
    process.exit(failureCode);
  });
}

/** The failure may be that of the configuration, so this needs none. */
function logFailure(error: unknown): void {
  const logger = createLogger({ env: 'production', logLevel: 'fatal' }, inOrder(2));
  logger.fatal({ err: error }, 'the process failed');
}

/** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}
