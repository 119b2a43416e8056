/** Manages the versions of the workflow code: `npm run deploy:versions -- set-current`. */
import { loadConfig } from './config';
import { run } from './deploy-versions/commands';
import { parseOptions } from './deploy-versions/options';
import { runEntry, stopSignal } from './process/entry';
import { createTemporalClient } from './temporal/client';
import { createDataConverter } from './temporal/data-converter';
import { buildIdOf, bundleFor } from './versions/bundle';
import { createDeployment } from './versions/deployment';

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const config = loadConfig('setup', env);
  const { buildId } = config.versions;
  const stopping = new AbortController();
  void stopSignal().then(() => stopping.abort());
  // What is encrypted is neither read nor written.
  const temporal = createTemporalClient(config.temporal, createDataConverter([]));
  const own = buildId ?? (await buildIdOf(bundleFor({ payloadKeys: [] })));
  try {
    process.exitCode = await run(options, {
      client: temporal.client,
      deployment: createDeployment(temporal.client, config),
      own,
      signal: stopping.signal,
      print: (line) => void process.stdout.write(`${line}\n`),
      progress: (text) => void process.stderr.write(`${text}\n`),
    });
  } finally {
    await temporal.close();
  }
}

runEntry(main, { failureCode: 2, isForPeople: true });
