import { createMetrics } from '../../src/telemetry/metrics';
import { measureProcess } from '../../src/telemetry/process-metrics';
import { eventually } from '../support/eventually';
import { parseExposition } from '../support/exposition';

async function measured(build: Parameters<typeof measureProcess>[1]) {
  const { meter, text } = await createMetrics();
  measureProcess(meter, build);
  return async () => parseExposition(await text());
}

it.each([
  ['the API has its version', { version: '1.2.3' }, { version: '1.2.3' }],
  [
    'workers have the build id of their workflows too',
    { version: '1.2.3', buildId: 'abc' },
    { version: '1.2.3', build_id: 'abc' },
  ],
])('%s', async (_, build, labels) => {
  const told = await measured(build);
  expect((await told()).all('build_info')).toEqual([{ name: 'build_info', labels, value: 1 }]);
});

it('tells since when the process runs, and what it takes', async () => {
  const told = await measured({ version: '1.2.3' });
  const { value, types } = await told();
  const startedAt = value('process_start_time_seconds')!;
  expect(Math.abs(startedAt + process.uptime() - Date.now() / 1_000)).toBeLessThan(60);
  const { rss } = process.memoryUsage();
  expect(value('process_resident_memory_bytes')! / rss).toBeGreaterThan(0.1);
  expect(value('nodejs_heap_used_bytes')).toBeGreaterThan(1e6);
  expect(value('nodejs_heap_used_bytes')).toBeLessThan(value('process_resident_memory_bytes')! * 10);
  const cpu = value('process_cpu_seconds_total')!;
  expect(cpu).toBeGreaterThan(0);
  expect(types.get('process_cpu_seconds_total')).toBe('counter');
  expect((await told()).value('process_cpu_seconds_total')).toBeGreaterThanOrEqual(cpu);
});

it('tells how long the event loop was blocked since the last reading, also until just now, and nothing before it knows', async () => {
  const told = await measured({ version: '1.2.3' });
  const delays = async () => {
    const { value } = await told();
    return ['p50', 'p99', 'max'].map((name) => value(`nodejs_eventloop_delay_${name}_seconds`));
  };
  expect(await delays()).toEqual([undefined, undefined, undefined]);
  // The clock of the delays has to have run before, which each reading starts anew.
  await eventually(async () => {
    const until = performance.now() + 300;
    while (performance.now() < until); // blocks it
    const [p50, p99, max] = (await delays()) as [number, number, number];
    expect(max).toBeGreaterThan(0.2);
    expect(p99).toBeLessThanOrEqual(max * 1.01); // of a histogram
    expect(p50).toBeLessThanOrEqual(p99);
  });
  const busy = (await told()).value('nodejs_eventloop_utilization_ratio');
  expect(busy).toBeGreaterThanOrEqual(0);
  expect(busy).toBeLessThanOrEqual(1);
});
