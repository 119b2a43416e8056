import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HANG_MS, until } from '../devstack/until';

const PERIOD_US = 100_000;
/** The most that a group can have, so that what runs beside it takes nothing from its share. */
const MOST_SHARES = 262_144;
const MOST_WEIGHT = 10_000;

/** Processes that together get a limited share of the processor. */
export interface LimitedGroup {
  /** Adds a process, and all that it will start. */
  add(pid: number): void;
  /** Removes the group once its processes have ended. */
  remove(): Promise<void>;
}

/**
 * Creates a control group of Linux, see cgroups(7): of version 1 where it controls the processor, else of version 2.
 * @param cores how many cores' worth of time the processes get, for example 0.5
 */
export function createLimitedGroup(cores: number): LimitedGroup {
  const quota = Math.round(cores * PERIOD_US);
  const first = '/sys/fs/cgroup/cpu';
  const isFirst = existsSync(join(first, 'cpu.cfs_quota_us'));
  const folder = join(isFirst ? first : '/sys/fs/cgroup', `test-steady-${process.pid}`);
  try {
    mkdirSync(folder);
    if (isFirst) writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD_US));
    if (isFirst) writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quota));
    else writeFileSync(join(folder, 'cpu.max'), `${quota} ${PERIOD_US}`);
    if (isFirst) writeFileSync(join(folder, 'cpu.shares'), String(MOST_SHARES));
    else writeFileSync(join(folder, 'cpu.weight'), String(MOST_WEIGHT));
  } catch (error) {
    const cause = (error as Error).message;
    throw new Error(
      `The cores cannot be limited, which takes root and the cpu controller of Linux: ${cause}`,
      {
        cause: error,
      },
    );
  }
  return {
    add: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    async remove() {
      const attempt = async () => {
        rmdirSync(folder);
        return true;
      };
      await until(HANG_MS, attempt, (lastError) => lastError as Error);
    },
  };
}
