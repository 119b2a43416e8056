/**
 * The HEALTHCHECK of the image: fails unless the API in this container is live. With the argument `worker` it fails unless
 * the worker in this container is ready, so that who waits for it can rely on it.
 */
import { runEntry } from './process/entry';
import { http } from './config/http';
import { readVariables } from './config/read';
import { telemetry } from './config/telemetry';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const url = process.argv[2] === 'worker' ? urlOfWorker(env) : urlOfApi(env);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} responds with ${response.status}: ${await response.text()}`);
}

function urlOfApi(env: NodeJS.ProcessEnv): string {
  const { PORT, API_PREFIX } = readVariables([http], 'api', env);
  return `http://127.0.0.1:${PORT}${API_PREFIX}/health/live`;
}

function urlOfWorker(env: NodeJS.ProcessEnv): string {
  const { METRICS_PORT } = readVariables([telemetry], 'worker', env);
  if (METRICS_PORT === undefined)
    throw new Error('METRICS_PORT is not set: a worker tells nobody how it is.');
  return `http://127.0.0.1:${METRICS_PORT}/health/ready`;
}

runEntry(main);
