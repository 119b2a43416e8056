import type { DestinationStream, Logger } from 'pino';
import { format } from 'node:util';
import type { Config } from '../config';
import { scrub } from '../logger/error-serializer';
import { createLogger } from '../logger/logger';

/**
 * Creates the logger of a process, which also writes what Node.js and libraries would print: warnings, uncaught errors and
 * the console.
 * @param name of the process, on every line
 */
export function createProcessLogger(
  config: Pick<Config, 'env' | 'logLevel'>,
  name: string,
  destination?: DestinationStream,
): Logger {
  const logger = createLogger(config, destination).child({ process: name });
  logUncaught(logger);
  logWarnings(logger);
  logConsole(logger);
  return logger;
}

/** Ends the process, as Node.js does: nobody knows in what state it is. */
function logUncaught(logger: Logger): void {
  process.on('uncaughtException', (err: unknown) => {
    logger.fatal({ err }, 'uncaught error');
    process.exit(1);
  });
}

function logWarnings(logger: Logger): void {
  process.removeAllListeners('warning'); // the one of Node.js, which prints them
  process.on('warning', (err) => logger.warn({ err }, 'warning of Node.js'));
}

const CONSOLE_LEVELS = {
  debug: 'debug',
  trace: 'debug',
  log: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
} as const;

function logConsole(logger: Logger): void {
  const methods = Object.entries(CONSOLE_LEVELS).map(([method, level]) => [
    method,
    (...parts: unknown[]) => logger[level]({ text: scrub(format(...parts)) }, 'printed by a library'),
  ]);
  Object.assign(globalThis.console, Object.fromEntries(methods));
}
