import Joi, { type CustomHelpers } from 'joi';
import { section } from './section';

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;

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
  OTEL_EXPORTER_OTLP_ENDPOINT: Joi.string()
    .uri({ scheme: ['http', 'https'] })
    .example('http://localhost:4318')
    .description(
      'URL of an OpenTelemetry collector that takes OTLP over HTTP; without it, nothing is traced',
    ),
  OTEL_EXPORTER_OTLP_PROTOCOL: Joi.string()
    .valid('http/protobuf')
    .default('http/protobuf')
    .description('Protocol of the collector; only `http/protobuf` is supported'),
  OTEL_TRACES_SAMPLER: Joi.string()
    .valid(...SAMPLERS.flatMap((name) => [name, `parentbased_${name}`]))
    .default('parentbased_always_on')
    .description(
      'Which requests are traced: `parentbased_always_on`, `parentbased_traceidratio` or `parentbased_always_off`; ' +
        'workers follow the API',
    ),
  OTEL_TRACES_SAMPLER_ARG: Joi.number()
    .min(0)
    .max(1)
    .default(1)
    .example('0.1')
    .description('The share of requests that `parentbased_traceidratio` traces'),
  TRACE_UI_URL: Joi.string<string | undefined>()
    .custom(readTemplate)
    .example('http://localhost:16686/search?service=orders-api&tags=%7B%22order.id%22%3A%22{orderId}%22%7D')
    .description(
      'URL of the traces of an order, with `{orderId}` in it, for the `traceUrl` of orders; it is the attribute `order.id`',
    )
    .messages({ 'template.invalid': '{#label} must be an http or https URL with {orderId} in it' }),
};

export const telemetry = section({
  title: 'Telemetry',
  readBy: ['api', 'worker'],
  variables,
  config: (env) => ({
    /** Where the metrics are served; undefined if nothing is to be measured. */
    metrics: env.METRICS_PORT === undefined ? undefined : { host: env.METRICS_HOST, port: env.METRICS_PORT },
    ...(env.TRACE_UI_URL !== undefined && { traceUiUrl: env.TRACE_UI_URL }),
  }),
});

function readTemplate(value: string, helpers: CustomHelpers) {
  const example = value.replaceAll('{orderId}', 'ord');
  return example !== value && /^https?:$/.test(protocolOf(example))
    ? value
    : helpers.error('template.invalid');
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
