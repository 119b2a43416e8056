import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ScalingRules } from './autoscaler';

interface WorkerValues {
  autoscaling: { pollingIntervalSeconds: number; targetQueueSize: number; cpuUtilization: number | null };
  resources: { requests: { cpu: string } };
}

const VALUES = join(__dirname, '..', '..', 'deploy', 'helm', 'values.yaml');

/** What the chart tells the autoscaler of a kind of worker; its numbers of replicas are for each installation to set. */
export function helmRules(
  worker: 'orderWorker' | 'paymentWorker',
): Pick<ScalingRules, 'pollingSeconds' | 'targetBacklog' | 'targetUtilisation'> {
  const values = (parse(readFileSync(VALUES, 'utf8')) as Record<typeof worker, WorkerValues>)[worker];
  const { pollingIntervalSeconds, targetQueueSize, cpuUtilization } = values.autoscaling;
  return {
    pollingSeconds: pollingIntervalSeconds,
    targetBacklog: targetQueueSize,
    targetUtilisation:
      cpuUtilization === null ? null : (cpuUtilization / 100) * coresOf(values.resources.requests.cpu),
  };
}

/** Of a quantity of Kubernetes, such as `250m` or `1`. */
function coresOf(quantity: string): number {
  return quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1_000 : Number(quantity);
}
