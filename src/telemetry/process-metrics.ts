import type { Meter } from '@opentelemetry/api';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
/** How exactly the delay of the event loop is measured, in milliseconds. */
const RESOLUTION_MS = 20;

export interface Build {
  version: string;
  /** That of the workflows' code, for workers. */
  buildId?: string;
}

/** Measures what each process of ours has: its build, memory, processor time and event loop. */
export function measureProcess(meter: Meter, { version, buildId }: Build): void {
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });
  const build = buildId === undefined ? { version } : { version, build_id: buildId };
  gauge('build_info', 'The version of the program, as labels; always 1').addCallback((result) =>
    result.observe(1, build),
  );
  const startedAt = Date.now() / 1_000 - process.uptime();
  gauge('process_start_time_seconds', 'When the process was started, in seconds since 1970').addCallback(
    (result) => result.observe(startedAt),
  );
  gauge('process_resident_memory_bytes', 'Memory of the process').addCallback((result) =>
    result.observe(process.memoryUsage.rss()),
  );
  gauge('nodejs_heap_used_bytes', 'Memory of the heap of V8 that is in use').addCallback((result) =>
    result.observe(process.memoryUsage().heapUsed),
  );
  meter
    .createObservableCounter('process_cpu_seconds_total', { description: 'Processor time, of all threads' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / MICROSECONDS);
    });
  measureEventLoop(meter);
}

/** Each value is that of the time since metrics were read last. */
function measureEventLoop(meter: Meter): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const since = 'since the last reading of the metrics';
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(name, { description: `${description} ${since}` });
  const p50 = gauge('nodejs_eventloop_delay_p50_seconds', 'Median of the delay of the event loop');
  const p99 = gauge('nodejs_eventloop_delay_p99_seconds', '99th percentile of the delay of the event loop');
  const max = gauge('nodejs_eventloop_delay_max_seconds', 'Longest delay of the event loop');
  const busy = gauge(
    'nodejs_eventloop_utilization_ratio',
    'Part of the time in which the event loop was busy',
  );
  let last = performance.eventLoopUtilization();
  meter.addBatchObservableCallback(
    async (result) => {
      await delay(1); // the timer that measures the delay runs first, so one that has just ended is not lost
      const now = performance.eventLoopUtilization();
      result.observe(busy, performance.eventLoopUtilization(now, last).utilization);
      last = now;
      if (delays.count === 0) return; // nothing is known yet
      // The timer itself is not a delay.
      const beyond = (ns: number) => Math.max(0, ns / NANOSECONDS - RESOLUTION_MS / 1_000);
      result.observe(p50, beyond(delays.percentile(50)));
      result.observe(p99, beyond(delays.percentile(99)));
      result.observe(max, beyond(delays.max));
      delays.reset();
    },
    [p50, p99, max, busy],
  );
}
