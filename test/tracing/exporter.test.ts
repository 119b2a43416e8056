import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { reportingExporter } from '../../src/tracing/exporter';

it('says once that the collector takes nothing, and that it does again', () => {
  const results = [1, 1, 0, 0];
  const exporter: SpanExporter = {
    export: (_spans, done) => done({ code: results.shift()!, error: new Error('connect ECONNREFUSED') }),
    shutdown: async () => undefined,
  };
  const log = { warn: jest.fn(), info: jest.fn() };
  const reporting = reportingExporter(exporter, () => log);
  const done = jest.fn();
  for (const count of [3, 4, 5, 6]) reporting.export(Array<ReadableSpan>(count), done);
  expect(done.mock.calls.map(([{ code }]: [{ code: number }]) => code)).toEqual([1, 1, 0, 0]);
  expect(log.warn.mock.calls).toEqual([
    [{ err: expect.any(Error), lost: 3 }, 'traces cannot be exported; nothing else is affected'],
  ]);
  expect(log.info.mock.calls).toEqual([[{ lost: 7 }, 'traces are exported again']]);
});
