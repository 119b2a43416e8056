import Joi from 'joi';
import { section } from './section';

const variables = {
  METRICS_PORT: Joi.number<number | undefined>()
    .port()
    .example('9464')
    .description(
      'Port on which a process serves its metrics, at `/metrics`; without it, nothing is measured. The API and workers ' +
        'on one machine need a port each; the API processes of `WEB_CONCURRENCY` share one',
    ),
  METRICS_HOST: Joi.string()
    .hostname()
    .default('127.0.0.1')
    .description(
      'Address that `METRICS_PORT` binds to; the image sets `0.0.0.0`. Nobody has to sign in there, so only the ' +
        'monitoring should reach it',
    ),
};

export const telemetry = section({
  title: 'Telemetry',
  readBy: ['api', 'worker'],
  variables,
  config: (env) => ({
    /** Where the metrics are served; undefined if nothing is to be measured. */
    metrics: env.METRICS_PORT === undefined ? undefined : { host: env.METRICS_HOST, port: env.METRICS_PORT },
  }),
});
