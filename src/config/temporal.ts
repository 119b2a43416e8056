import Joi from 'joi';
import { section, type EnvOf } from './section';
import { temporalSecurity, tlsProblem, tlsVariables } from './temporal-tls';

const variables = {
  TEMPORAL_ADDRESS: Joi.string()
    .pattern(/^[^\s/:]+:\d{1,5}$/)
    .default('localhost:7233')
    .description("Host and port of Temporal's frontend; Docker Compose sets it for its containers")
    .messages({ 'string.pattern.base': '{#label} must look like host:7233' }),
  TEMPORAL_NAMESPACE: Joi.string().default('default').description('Namespace of the orders'),
  TEMPORAL_TASK_QUEUE: Joi.string()
    .default('orders')
    .description('Task queue of the orders; the same for API, workers and setup'),
  TEMPORAL_PAYMENTS_TASK_QUEUE: Joi.string()
    .default('payments')
    .description('Task queue of the calls to the payment service; the same for API, workers and setup'),
  TEMPORAL_EVENTS_TASK_QUEUE: Joi.string()
    .default('events')
    .description(
      'Task queue of what makes events of all that is written, and delivers them to webhook endpoints; the same for API, ' +
        'workers and setup',
    ),
  TEMPORAL_UI_URL: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .replace(/\/+$/, '')
    .default('http://localhost:8233')
    .tag('api', 'worker')
    .description(
      'URL of the Temporal UI, for the `temporalUrl` of orders; pages of this origin may use the codec server',
    ),
  ...tlsVariables,
};

export const temporal = section({
  title: 'Temporal',
  readBy: ['api', 'worker', 'setup'],
  variables,
  check: (env) => sameQueueProblem(env) ?? tlsProblem(env),
  config: (env) => ({
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    taskQueue: env.TEMPORAL_TASK_QUEUE,
    paymentsTaskQueue: env.TEMPORAL_PAYMENTS_TASK_QUEUE,
    eventsTaskQueue: env.TEMPORAL_EVENTS_TASK_QUEUE,
    uiUrl: env.TEMPORAL_UI_URL,
    security: temporalSecurity(env),
  }),
});

function sameQueueProblem(env: EnvOf<typeof variables>): string | undefined {
  const names = [
    'TEMPORAL_TASK_QUEUE',
    'TEMPORAL_PAYMENTS_TASK_QUEUE',
    'TEMPORAL_EVENTS_TASK_QUEUE',
  ] as const;
  const [name, earlier] = names.flatMap((one, n) => {
    const same = names.slice(0, n).find((other) => env[other] === env[one]);
    return same ? [one, same] : [];
  });
  return (
    name && `${name} must not be the same as ${earlier}: the workers of one do not know the work of the other`
  );
}
