import pino, { type DestinationStream, type Logger } from 'pino';
import type { Config } from '../config';
import { isTracing, spanFields } from '../tracing/spans';
import { serializeError } from './error-serializer';

const SECRET_KEYS = [
  'authorization',
  'password',
  'currentPassword',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'email',
];

/** Writes JSON lines to standard output, or readable lines in development on a terminal. */
export function createLogger(
  config: Pick<Config, 'env' | 'logLevel'>,
  destination?: DestinationStream,
): Logger {
  const options: pino.LoggerOptions = {
    level: config.logLevel,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError, error: serializeError },
    ...(isTracing() && { mixin: spanFields }),
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: '[redacted]',
    },
  };
  return pino(options, destination ?? defaultDestination(config));
}

/**
 * Writes each line before the next statement runs, as Node.js prints to pipes: with writes under way, a process that exits
 * loses its last lines, or writes them in another order.
 */
export function inOrder(fileDescriptor: number): DestinationStream {
  return pino.destination({ dest: fileDescriptor, sync: true });
}

function defaultDestination(config: Pick<Config, 'env'>): DestinationStream {
  if (config.env !== 'development' || !process.stdout.isTTY || !hasPretty()) return inOrder(1);
  return pino.transport({
    target: 'pino-pretty',
    options: { ignore: 'pid,hostname' },
  });
}

/** The images do not have this development dependency. */
function hasPretty(): boolean {
  try {
    return Boolean(require.resolve('pino-pretty'));
  } catch {
    return false;
  }
}
