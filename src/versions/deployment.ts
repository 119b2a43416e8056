import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { WorkerConfig } from '../config';
import { isMissing, isOutpaced } from '../temporal/errors';
import { polling } from '../temporal/task-queue';

/** What a version of the workflow code is to Temporal. */
export type VersionStatus = 'current' | 'ramping' | 'draining' | 'drained' | 'inactive';

export interface Version {
  buildId: string;
  status: VersionStatus;
  /** The share of new orders that a ramping version gets. */
  percentage?: number;
  /** Workflows that are running on it, and stay there. */
  open: number;
  /** Workers that ask for work. One that was killed counts until another one has asked 90 s later, or for five minutes. */
  pollers: number;
  /** Whether it is the current version, or was once. */
  wasCurrent: boolean;
}

/** Which version new workflows go to. */
export interface Routing {
  current?: string;
  ramping?: string;
  percentage: number;
  /** Changed by each change of the routing. */
  conflictToken: Uint8Array;
}

export type Deployment = ReturnType<typeof createDeployment>;

/** The name of the Worker Deployment. */
export function deploymentName({
  versions,
  temporal: { taskQueue },
}: Pick<WorkerConfig, 'versions' | 'temporal'>): string {
  return versions.deployment ?? taskQueue;
}

/** Where a version has the hash of its workflow code. */
const CODE = 'workflow-code';

const { WorkerDeploymentVersionStatus: STATUS, TaskQueueType } = temporal.api.enums.v1;

const STATUSES: Readonly<Record<number, VersionStatus>> = {
  [STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT]: 'current',
  [STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING]: 'ramping',
  [STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING]: 'draining',
  [STATUS.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED]: 'drained',
};

/**
 * A Worker Deployment: the versions of the workflow code that have had workers, and which of them new workflows go to. A
 * workflow stays with its version until it continues as new.
 */
export function createDeployment(client: Client, config: Pick<WorkerConfig, 'versions' | 'temporal'>) {
  const { taskQueue } = config.temporal;
  const name = deploymentName(config);
  const { workflowService } = client;
  const { namespace, identity } = client.options;

  /** Selects the workflows that need a version to continue; others are continued by any. */
  const queryOf = (buildId: string, more = ''): string =>
    `TemporalWorkerDeploymentVersion = "${name}:${buildId}" AND ExecutionStatus = "Running" AND TemporalWorkflowVersioningBehavior = "Pinned"${more}`;

  /** Returns null if no worker of any version has asked for work yet, and none was made current. */
  async function describe() {
    try {
      return await workflowService.describeWorkerDeployment({ namespace, deploymentName: name });
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async function routing(): Promise<Routing> {
    const found = await describe();
    const { currentDeploymentVersion, rampingDeploymentVersion, rampingVersionPercentage } =
      found?.workerDeploymentInfo?.routingConfig ?? {};
    return {
      current: currentDeploymentVersion?.buildId ?? undefined,
      ramping: rampingDeploymentVersion?.buildId ?? undefined,
      percentage: rampingVersionPercentage ?? 0,
      conflictToken: found?.conflictToken ?? new Uint8Array(),
    };
  }

  async function countOpen(buildId: string): Promise<number> {
    return (await client.workflow.count(queryOf(buildId))).count;
  }

  /** Returns how many workers of each version ask for work. */
  async function countPollers(): Promise<ReadonlyMap<string, number>> {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    });
    const counts = new Map<string, number>();
    for (const { deploymentOptions } of polling(pollers)) {
      const { deploymentName: other, buildId } = deploymentOptions ?? {};
      if (other === name && buildId) counts.set(buildId, (counts.get(buildId) ?? 0) + 1);
    }
    return counts;
  }

  return {
    name,
    queryOf,
    routing,
    countOpen,

    /** Returns the versions, the newest first. */
    async versions(): Promise<Version[]> {
      const [found, pollers] = await Promise.all([describe(), countPollers()]);
      const { versionSummaries = [], routingConfig } = found?.workerDeploymentInfo ?? {};
      const summaries = (versionSummaries ?? []).toSorted(
        (a, b) => Number(b.createTime?.seconds) - Number(a.createTime?.seconds),
      );
      return Promise.all(
        summaries.map(async ({ deploymentVersion, status, lastCurrentTime }) => {
          const buildId = deploymentVersion!.buildId!;
          const version: Version = {
            buildId,
            status: STATUSES[status!] ?? 'inactive',
            open: await countOpen(buildId),
            pollers: pollers.get(buildId) ?? 0,
            wasCurrent: Boolean(lastCurrentTime),
          };
          return version.status === 'ramping'
            ? { ...version, percentage: routingConfig?.rampingVersionPercentage ?? 0 }
            : version;
        }),
      );
    },

    /**
     * Has new workflows go to a version.
     * @param always also if no worker of it has asked for work yet
     */
    async setCurrent(buildId: string, always = false): Promise<void> {
      await workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        identity,
        deploymentName: name,
        buildId,
        allowNoPollers: always,
        ignoreMissingTaskQueues: always,
      });
    },

    /** Makes a version current if there is none, as before the first release. Returns whether it did. */
    async setFirst(buildId: string): Promise<boolean> {
      const { current, conflictToken } = await routing();
      if (current !== undefined) return false;
      try {
        await workflowService.setWorkerDeploymentCurrentVersion({
          namespace,
          identity,
          deploymentName: name,
          buildId,
          conflictToken,
          allowNoPollers: true,
          ignoreMissingTaskQueues: true,
        });
        return true;
      } catch (error) {
        // Temporal refuses other things in the same way, after which there would be no version that works.
        if (isOutpaced(error) && (await routing()).current !== undefined) return false; // another worker was faster
        throw error;
      }
    },

    /** Returns the hash of the code that workers of a version have; undefined if it has had none, or they have not noted it. */
    async codeOf(buildId: string): Promise<string | undefined> {
      try {
        const { workerDeploymentVersionInfo } = await workflowService.describeWorkerDeploymentVersion({
          namespace,
          deploymentVersion: { deploymentName: name, buildId },
        });
        const noted = workerDeploymentVersionInfo?.metadata?.entries?.[CODE];
        return noted ? defaultPayloadConverter.fromPayload<string>(noted) : undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    /** Notes the hash of the code of a version, which has to have had a worker. */
    async noteCode(buildId: string, code: string): Promise<void> {
      await workflowService.updateWorkerDeploymentVersionMetadata({
        namespace,
        identity,
        deploymentVersion: { deploymentName: name, buildId },
        upsertEntries: { [CODE]: defaultPayloadConverter.toPayload(code) },
      });
    },

    /** Has a share of new workflows go to a version, in percent; with 0, none. */
    async ramp(buildId: string, percentage: number): Promise<void> {
      await workflowService.setWorkerDeploymentRampingVersion({
        namespace,
        identity,
        deploymentName: name,
        buildId: percentage > 0 ? buildId : '',
        percentage,
      });
    },
  };
}
