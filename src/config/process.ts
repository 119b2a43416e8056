import Joi from 'joi';
import { count, MAX_TIMER_MS } from './rules';
import { section, type EnvOf } from './section';

const variables = {
  NODE_ENV: Joi.string<'development' | 'test' | 'production'>()
    .valid('development', 'test', 'production')
    .default('development')
    .description('`development`, `test` or `production`; the production image sets `production`'),
  LOG_LEVEL: Joi.string()
    .valid('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')
    .default('info')
    .description(
      'The least severe level that is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`; the ' +
        'signal SIGUSR2 changes between it and `debug`',
    ),
  SHUTDOWN_TIMEOUT_MS: count(10_000, MAX_TIMER_MS)
    .unit('ms')
    .tag('api', 'worker')
    .description(
      'How long a process that is told to stop may take to finish its work; in production at least ' +
        '`PLACE_ORDER_TIMEOUT_MS` and `ORDER_COMMAND_TIMEOUT_MS`',
    ),
};

export type ProcessEnv = EnvOf<typeof variables>;

export const process = section({
  title: 'Process',
  readBy: ['api', 'worker', 'setup'],
  variables,
  config: (env) => ({
    env: env.NODE_ENV,
    logLevel: env.LOG_LEVEL,
    shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_MS,
  }),
});
