import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config';
import { isForbidden } from '../temporal/errors';
import { createDeployment } from '../versions/deployment';
import { abandonVersion } from '../versions/move';

const RETRY_MS = 1_000;
/** How often a version that takes over looks for orders that were begun on another one meanwhile. */
const LOOK_MS = 5_000;

export interface VersionDeps {
  client: Client;
  buildId: string;
  logger: Logger;
  /** Aborts when the worker has to stop. */
  signal: AbortSignal;
}

/**
 * Makes the version of this worker current if no other one is: without a current version, no version gets any work. With
 * WORKER_ROLLOUT=replace, it takes over from every other version at once.
 */
export async function introduceVersion(
  config: Pick<WorkerConfig, 'versions' | 'temporal'>,
  { client, buildId, logger, signal }: VersionDeps,
): Promise<void> {
  const deployment = createDeployment(client, config);
  const fields = { deployment: deployment.name, buildId };
  const introduce = config.versions.rollout === 'replace' ? replaceOthers : makeFirst;
  while (!signal.aborted) {
    try {
      return await introduce();
    } catch (err) {
      if (signal.aborted) return;
      if (isForbidden(err))
        return logger.error({ ...fields, err }, 'version of the worker cannot be made current');
      logger.warn({ ...fields, err }, 'version of the worker not looked at; trying again');
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async function makeFirst(): Promise<void> {
    if (await deployment.setFirst(buildId))
      logger.info(fields, 'version of the worker is current, as the first one');
  }

  async function replaceOthers(): Promise<void> {
    const { current } = await deployment.routing();
    if (current !== buildId) {
      await deployment.setCurrent(buildId, true);
      logger.info({ ...fields, before: current }, 'version of the worker is current');
    }
    // Workers of other versions may still be stopping, and lists show what they have begun a little later.
    for (;;) {
      const others = (await deployment.versions()).filter((other) => other.buildId !== buildId);
      for (const { buildId: before, open } of others) {
        if (open === 0) continue;
        const orders = await abandonVersion(client, deployment, before, { signal });
        logger.info({ ...fields, before, orders }, 'orders resumed on the version of the worker');
      }
      if (others.every(({ open, pollers }) => open === 0 && pollers === 0)) return;
      await delay(LOOK_MS, undefined, { signal });
      if ((await deployment.routing()).current !== buildId) return; // another version has taken over
    }
  }
}
