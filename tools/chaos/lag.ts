import { monitorEventLoopDelay } from 'node:perf_hooks';

const MS_PER_NS = 1e-6;

/**
 * Measures how late this process does its work. All messages pass it, so on a machine that is too busy it delays them
 * all, and what is found then may be the machine's fault.
 */
export function measureLag(): () => Record<string, number> {
  const lag = monitorEventLoopDelay();
  lag.enable();
  return () => {
    lag.disable();
    return {
      'delay by the rig itself, ms, p99': Math.round(lag.percentile(99) * MS_PER_NS),
      'delay by the rig itself, ms, most': Math.round(lag.max * MS_PER_NS),
    };
  };
}
