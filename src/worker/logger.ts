import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Logger as TemporalLogger, LogLevel } from '@temporalio/worker';
import type { Logger } from 'pino';
import { orderIdIn } from '../domain/order-id';

/** `TRACE` is not among them: its lines contain the payloads of workflows. */
const PINO_LEVELS = { DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** A warning of the SDK that is always true of the payments queue. */
const NO_WORKFLOWS = 'No workflows registered, not polling for workflow tasks';

/** Writes the log lines of the SDK, of workflows and of activities to our log. */
export function createTemporalLogger(logger: Logger): TemporalLogger {
  function log(level: LogLevel, message: string, meta: Record<string, unknown> = {}): void {
    if (level === 'TRACE' || message === NO_WORKFLOWS) return;
    const to = PINO_LEVELS[level];
    if (!logger.isLevelEnabled(to)) return;
    // Lines come late, when another activity may be running: the ids of their own spans are among their fields.
    context.with(ROOT_CONTEXT, () => logger[to](fieldsOf(meta), message));
  }
  const at = (level: LogLevel) => (message: string, meta?: Record<string, unknown>) =>
    log(level, message, meta);
  return {
    log,
    trace: at('TRACE'),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
  };
}

/** Returns what the SDK says of itself, of a workflow or of an activity, under the names that all of our lines use. */
function fieldsOf(meta: Record<string, unknown>): Record<string, unknown> {
  // The task contains the arguments of the activity, which must not be logged; the options are those of the whole worker.
  const { task: _task, taskEncoded: _encoded, taskToken: _token, options: _options, ...rest } = meta;
  const { activityType: activity, workflowRunId, runId = workflowRunId, ...fields } = rest;
  const orderId = typeof fields.workflowId === 'string' ? orderIdIn(fields.workflowId) : undefined;
  return {
    ...(orderId !== undefined && { orderId }),
    ...fields,
    ...(runId !== undefined && { runId }),
    ...(activity !== undefined && { activity }),
  };
}
