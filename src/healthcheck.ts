/** Fails unless the API in this container is live: the HEALTHCHECK of the image. */
import { runEntry } from './process/entry';
import { http } from './config/http';
import { readVariables } from './config/read';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { PORT, API_PREFIX } = readVariables([http], 'api', env);
  const url = `http://127.0.0.1:${PORT}${API_PREFIX}/health/live`;
  const { ok, status } = await fetch(url);
  if (!ok) throw new Error(`${url} responds with ${status}.`);
}

runEntry(main);
