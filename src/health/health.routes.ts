import Joi from 'joi';
import { sendData } from '../http/respond';
import type { Context } from '../http/context';
import { route, type Route } from '../http/route';
import { AppError } from '../errors/app-error';
import { Role } from '../role/role';
import type { CheckResult, Health, Readiness } from './health';

const TAG = 'Health';

const checkResult = Joi.object<CheckResult, true>({
  status: Joi.string().valid('up', 'down').required(),
  latencyMs: Joi.number().min(0).required(),
}).meta({ component: 'HealthCheck' });

const readiness = Joi.object<Readiness, true>({
  status: Joi.string().valid('ready', 'unavailable', 'draining').required(),
  checks: Joi.object()
    .pattern(Joi.string(), checkResult)
    .required()
    .description('Results by the name of the check'),
})
  .id('Readiness')
  .example({
    status: 'ready',
    checks: { mongodb: { status: 'up', latencyMs: 2 }, temporal: { status: 'up', latencyMs: 3 } },
  });

const liveness = Joi.object({
  status: Joi.string().valid('live').required().example('live'),
}).id('Liveness');

export function healthRoutes(health: Health): Route[] {
  return [
    route({
      method: 'get',
      path: '/health/live',
      role: Role.PUBLIC,
      operationId: 'live',
      summary: 'Check whether the process runs',
      tag: TAG,
      responses: { 200: { description: 'The process runs', data: liveness } },
      errors: [],
      handler(ctx) {
        ctx.set('Cache-Control', 'no-store');
        sendData(ctx, 200, { status: 'live' });
      },
    }),
    readinessRoute('/health/ready', 'ready', 'Check whether requests can be served', health),
    readinessRoute('/health', 'health', 'Check whether requests can be served, at a shorter path', health),
  ];
}

function readinessRoute(path: string, operationId: string, summary: string, health: Health): Route {
  return route({
    method: 'get',
    path,
    role: Role.PUBLIC,
    operationId,
    summary,
    description:
      'Checks MongoDB and Temporal, and in production that no active demo user has the published password. The 503 ' +
      'problem carries the same `data`.',
    tag: TAG,
    responses: {
      200: { description: 'All checks succeed', data: readiness },
    },
    errors: ['service_unavailable'],
    handler: async (ctx) => sendReadiness(ctx, await health.readiness()),
  });
}

function sendReadiness(ctx: Context, data: Readiness): void {
  if (data.status !== 'ready') throw new AppError('service_unavailable', explain(data), { data });
  ctx.set('Cache-Control', 'no-store');
  sendData(ctx, 200, data);
}

function explain({ status, checks }: Readiness): string {
  if (status === 'draining') return 'This process is shutting down: send requests to another one.';
  const down = Object.keys(checks).filter((name) => checks[name]!.status === 'down');
  return `Not ready: ${down.join(', ')}. Try again shortly; the log of the API says why.`;
}
