import type { Config } from 'jest';
import { startServers, type Servers } from '../../tools/devstack';
import { createOutput } from '../../tools/output';
import { bundleForTests } from './workflow-bundle';

declare global {
  var servers: Servers | undefined;
}

/**
 * Starts the real servers and bundles the workflows once per run. Test files find both in the environment.
 */
export default async function globalSetup({ collectCoverage }: { collectCoverage: boolean } & Config) {
  const [servers, bundle] = await Promise.all([
    startServers({ output: createOutput() }),
    bundleForTests(collectCoverage),
  ]);
  globalThis.servers = servers;
  process.env.MONGODB_URI = servers.mongodbUri;
  process.env.TEMPORAL_ADDRESS = servers.temporalAddress;
  process.env.TEST_WORKFLOW_BUNDLE = bundle;
}
