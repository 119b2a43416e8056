import { mergeTexts } from '../../src/telemetry/merge';
import { parseExposition } from '../support/exposition';

const textOf = (served: number) =>
  '# HELP requests_total Requests\n# TYPE requests_total counter\n' +
  `requests_total{route="/a{b} c"} ${served}\nrequests_total{route="\\"x\\""} 1\n\n` +
  '# HELP memory_bytes Memory\n# TYPE memory_bytes gauge\nmemory_bytes 1\n';

describe('the metrics of several processes', () => {
  it('keep their values apart, and tell each family once', () => {
    const merged = mergeTexts([
      { process: 'primary', text: '# TYPE memory_bytes gauge\nmemory_bytes 7\n' },
      { process: '1', text: textOf(2) },
      { process: '2', text: textOf(3) },
    ]);
    const metrics = parseExposition(merged);
    expect(metrics.value('requests_total', { process: '1', route: '/a{b} c' })).toBe(2);
    expect(metrics.sum('requests_total', { route: '/a{b} c' })).toBe(5);
    expect(metrics.value('memory_bytes', { process: 'primary' })).toBe(7);
    expect(metrics.all('memory_bytes')).toHaveLength(3);
    expect(metrics.samples).toHaveLength(7);
  });
});
