import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { WorkerConfig } from '../config';
import { isForbidden, isMissing } from '../temporal/errors';
import { createDeployment } from '../versions/deployment';
import { abandonVersion } from '../versions/move';

const RETRY_MS = 1_000;
/** How often a worker looks whether Temporal has seen it ask for work. */
const SOON_MS = 200;
/** How often it looks whether the workers of other versions are gone. */
const LOOK_MS = 5_000;

export interface VersionDeps {
  client: Client;
  buildId: string;
  /** The hash of the workflow code. */
  code: string;
  logger: Logger;
  /** Aborts when the worker has to stop. */
  signal: AbortSignal;
}

/**
 * Refuses a version that others named and that has had other workflow code, as when the tag of an image is pushed again: what was
 * begun with that code would fail with this one.
 * @throws if it has
 */
export async function requireSameCode(
  config: Pick<WorkerConfig, 'versions' | 'temporal'>,
  { client, buildId, code, logger }: Omit<VersionDeps, 'signal'>,
): Promise<void> {
  const before = await createDeployment(client, config)
    .codeOf(buildId)
    .catch((err: unknown) =>
      logger.warn({ buildId, err }, 'code of the version of the worker not looked at'),
    );
  if (before && before !== code)
    throw new Error(
      `The version ${buildId} of the workers has had other workflow code (${before}) than this one (${code}), and keeps it: give ` +
        'this code a version of its own, by a new tag or digest of the image, or by WORKER_BUILD_ID.',
    );
}

/** Notes what `requireSameCode` looks at, once Temporal knows the version. */
export async function noteCode(
  config: Pick<WorkerConfig, 'versions' | 'temporal'>,
  { client, buildId, code, logger, signal }: VersionDeps,
): Promise<void> {
  const deployment = createDeployment(client, config);
  while (!signal.aborted) {
    try {
      return await deployment.noteCode(buildId, code);
    } catch (err) {
      if (!isMissing(err))
        return logger.warn({ buildId, err }, 'code of the version of the worker not noted');
      await delay(SOON_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/**
 * Makes the version of this worker, which asks for work by now, current if no other one is: without a current version, no
 * version gets any work. With WORKER_ROLLOUT=replace, it takes over from all others.
 */
export async function introduceVersion(
  config: Pick<WorkerConfig, 'versions' | 'temporal'>,
  { client, buildId, logger, signal }: Omit<VersionDeps, 'code'>,
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

  /** Every worker of a version does so, at once or one after the other, without harm. */
  async function replaceOthers(): Promise<void> {
    await becomeCurrent();
    for (;;) {
      const versions = await deployment.versions();
      if (!versions.some((one) => one.buildId === buildId && one.status === 'current')) return; // another one has taken over
      const others = versions.filter((other) => other.buildId !== buildId);
      for (const { buildId: before, open, pollers } of others) {
        if (open === 0 || pollers > 0) continue;
        const orders = await abandonVersion(client, deployment, before, { signal });
        logger.info({ ...fields, before, orders }, 'orders resumed on the version of the worker');
      }
      // Workers that are still stopping may begin something, and lists show that a little later.
      if (others.every(({ open, pollers }) => open === 0 && pollers === 0)) return;
      await delay(LOOK_MS, undefined, { signal });
    }
  }

  /**
   * A new version takes over as soon as its workers ask for work. One that was current before is either wanted again, or its
   * worker was only late to stop and was started again: so it does only when no worker of the current one is left.
   */
  async function becomeCurrent(): Promise<void> {
    let isTold = false;
    for (;;) {
      const versions = await deployment.versions();
      const own = versions.find((one) => one.buildId === buildId);
      const current = versions.find(({ status }) => status === 'current');
      if (own && current === own) return;
      const isThere = own !== undefined && own.pollers > 0;
      if (isThere && (!current || !own.wasCurrent || current.pollers === 0)) {
        await deployment.setCurrent(buildId);
        return logger.info({ ...fields, before: current?.buildId }, 'version of the worker is current');
      }
      if (isThere && !isTold)
        logger.info(
          { ...fields, current: current!.buildId },
          'version of the worker waits for the current one to stop',
        );
      isTold ||= isThere;
      await delay(isThere ? LOOK_MS : SOON_MS, undefined, { signal });
    }
  }
}
