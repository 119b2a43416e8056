import type * as Sdk from './sdk';
import { isOn, type Env } from './switch';
import type { Tracing } from './tracing';

const OFF: Tracing = { reportTo: () => undefined, flush: async () => true };

/**
 * Starts to trace this process if OpenTelemetry's variables name a collector; otherwise nothing of its SDK is loaded. To be
 * called before the MongoDB driver is loaded, which is traced from there on.
 * @param service the name of the service, unless OTEL_SERVICE_NAME says another one
 */
export function startTracing(service: string, env: Env): Tracing {
  if (!isOn(env)) return OFF;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load the SDK when it is off, too
  const { startSdk } = require('./sdk') as typeof Sdk;
  return startSdk(service, env);
}
