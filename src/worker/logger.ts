import { DefaultLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

const PINO_LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** A warning of the SDK that is always true of the payments queue. */
const NO_WORKFLOWS = 'No workflows registered, not polling for workflow tasks';

/** Writes the log lines of the SDK, of workflows and of activities to our log. */
export function createTemporalLogger(logger: Logger): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => {
    // The task contains the arguments of the activity, which must not be logged.
    const { task: _task, taskEncoded: _taskEncoded, ...fields } = meta ?? {};
    if (message !== NO_WORKFLOWS) logger[PINO_LEVELS[level]](fields, message);
  });
}
