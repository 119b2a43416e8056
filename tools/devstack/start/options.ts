import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, PROJECT_ROOT, SetupError } from '../../project';
import type { PortVariables } from '../ports';

export interface StartOptions {
  watch: boolean;
  /** Servers on other machines may be used, although demo users are created there. */
  allowRemoteServers: boolean;
  port: number;
  temporalPort: number;
  temporalUiPort: number;
  mongodbPort: number;
  /** The ports of the metrics; undefined if nothing is to be measured. */
  metricsPorts?: { api: number; worker: number };
  /** For development data, logs and the generated secret. */
  dataFolder: string;
  baseUrl: string;
}

/** @param args of the command line, without node and script */
export function readOptions(env: NodeJS.ProcessEnv, args: string[]): StartOptions {
  const { watch = false, 'allow-remote-servers': allowRemoteServers = false } = parse(args);
  const port = portFrom(env, 'PORT', 3_000);
  return {
    watch,
    allowRemoteServers,
    port,
    temporalPort: portFrom(env, 'TEMPORAL_PORT', 7_233),
    temporalUiPort: portFrom(env, 'TEMPORAL_UI_PORT', 8_233),
    mongodbPort: portFrom(env, 'MONGODB_PORT', 27_017),
    ...(env.METRICS_PORT && { metricsPorts: metricsPortsFrom(portFrom(env, 'METRICS_PORT', 0)) }),
    dataFolder: dataFolderOf(env),
    baseUrl: `http://localhost:${port}${env.API_PREFIX || '/orders-management-system'}`,
  };
}

/**
 * Returns the folder of the development data, which is relative to the project unless DATA_DIR is absolute.
 */
export function dataFolderOf({ DATA_DIR }: NodeJS.ProcessEnv): string {
  return resolve(PROJECT_ROOT, DATA_DIR || '.data');
}

function parse(args: string[]): { watch?: boolean; 'allow-remote-servers'?: boolean } {
  try {
    return parseArgs({
      args,
      options: { watch: { type: 'boolean' }, 'allow-remote-servers': { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new SetupError(`${messageOf(error)}. The options are --watch and --allow-remote-servers.`);
  }
}

/** Returns the ports to be opened here: none for a server that the environment names. */
export function portsToOpen(options: StartOptions, env: NodeJS.ProcessEnv): PortVariables {
  const { port, temporalPort, temporalUiPort, mongodbPort, metricsPorts } = options;
  return {
    PORT: port,
    ...(env.TEMPORAL_ADDRESS ? {} : { TEMPORAL_PORT: temporalPort, TEMPORAL_UI_PORT: temporalUiPort }),
    ...(env.MONGODB_URI ? {} : { MONGODB_PORT: mongodbPort }),
    ...(metricsPorts && { METRICS_PORT: metricsPorts.api, 'METRICS_PORT + 1': metricsPorts.worker }),
  };
}

/** The two processes need a port each. */
function metricsPortsFrom(api: number): { api: number; worker: number } {
  const worker = api + 1;
  if (worker > 65_535)
    throw new SetupError('METRICS_PORT must be below 65535: the worker has the next port.');
  return { api, worker };
}

function portFrom(env: NodeJS.ProcessEnv, variable: string, fallback: number): number {
  const text = env[variable];
  if (!text) return fallback;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new SetupError(`${variable} must be a port from 1 to 65535, not "${text}".`);
}
