import type { Config } from 'jest';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers, type Servers } from '../../tools/devstack';
import { createOutput } from '../../tools/output';
import { provideSharedShops } from './shared-shops';
import { noteLackingCommands } from './lacking-commands';
import { bundleForTests } from './workflow-bundle';

declare global {
  var servers: Servers | undefined;
  var stopSharedShops: (() => void) | undefined;
}

/**
 * Starts the real servers, bundles the workflows, and prepares what the files of each Jest process share, once per run.
 * Test files find all of it in the environment.
 */
export default async function globalSetup({ collectCoverage }: Config) {
  const [servers, bundle] = await Promise.all([
    startServers({ output: createOutput() }),
    bundleForTests(collectCoverage!),
  ]);
  globalThis.servers = servers;
  process.env.MONGODB_URI = servers.mongodbUri;
  process.env.TEMPORAL_ADDRESS = servers.temporalAddress;
  process.env.TEST_WORKFLOW_BUNDLE = bundle;
  process.env.TEST_DATA_DIR = await mkdtemp(join(tmpdir(), 'orders-data-'));
  noteLackingCommands(process.env.TEST_DATA_DIR);
  // What a worker process runs would not be counted.
  if (!collectCoverage) globalThis.stopSharedShops = provideSharedShops();
}
