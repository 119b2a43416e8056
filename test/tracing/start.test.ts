import { context, trace } from '@opentelemetry/api';
import cluster from 'node:cluster';
import { VERSION } from '../../src/config/version';
import type * as spans from '../../src/tracing/spans';
import { inSpan } from '../../src/tracing/spans';
import { startTracing } from '../../src/tracing/start';
import type { Tracing } from '../../src/tracing/tracing';
import { eventually, HANG_MS } from '../support/eventually';
import { openReceiver } from '../support/receiver';
import { openCollector, type Collector } from '../support/collector';

const log = { warn: jest.fn(), info: jest.fn() };

/** The exporter reads its variables from the process itself. */
function withEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.assign(process.env, { OTEL_SERVICE_NAME: '', NODE_ENV: 'test' }, env);
}

afterEach(() => {
  trace.disable();
  context.disable();
  for (const name of Object.keys(process.env).filter((one) => one.startsWith('OTEL_')))
    delete process.env[name];
});

describe('an entry', () => {
  const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

  /** Loads what the entry imports first, and tells whether the process is traced from then on. */
  function load(entry: 'api' | 'worker', env: NodeJS.ProcessEnv) {
    withEnv(env);
    let loaded!: { tracing: Tracing; isTraced: boolean };
    /* eslint-disable @typescript-eslint/no-require-imports -- they are loaded anew each time */
    jest.isolateModules(() => {
      const { tracing } = require(`../../src/tracing-${entry}`) as { tracing: Tracing };
      const { isTracing } = require('../../src/tracing/spans') as typeof spans;
      loaded = { tracing, isTraced: isTracing() };
    });
    /* eslint-enable @typescript-eslint/no-require-imports */
    return loaded;
  }

  it.each([
    ['api', 'is traced if it serves', { WEB_CONCURRENCY: '1' }, true, true],
    ['api', 'is not if it only supervises others', { WEB_CONCURRENCY: '2' }, true, false],
    ['api', 'is traced if it is one of several', { WEB_CONCURRENCY: '2' }, false, true],
    [
      'api',
      'is traced if it is one of as many as there are processors',
      { WEB_CONCURRENCY: '' },
      false,
      true,
    ],
    ['worker', 'is traced', { WEB_CONCURRENCY: '2' }, true, true],
  ] as const)('of the %s %s', async (entry, _what, env, isPrimary, expected) => {
    const replaced = jest.replaceProperty(cluster, 'isPrimary', isPrimary);
    const { tracing, isTraced } = load(entry, { ...ENDPOINT, ...env });
    replaced.restore();
    expect(isTraced).toBe(expected);
    expect(await tracing.flush(0)).toBe(true); // there is nothing
  });

  it('is not traced without a collector, and can be told to report and to send all the same', async () => {
    const { tracing, isTraced } = load('worker', {});
    expect(isTraced).toBe(false);
    tracing.reportTo(log);
    expect(await tracing.flush(0)).toBe(true);
  });
});

describe('the spans', () => {
  let collector: Collector;
  beforeEach(async () => void (collector = await openCollector()));
  afterEach(() => collector.close());

  async function resourceWith(env: NodeJS.ProcessEnv) {
    const tracing = startTracing(
      'orders-api',
      withEnv({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env }),
    );
    await inSpan('work', {}, async () => undefined);
    expect(await tracing.flush(HANG_MS)).toBe(true);
    return collector.resources[0];
  }

  it('say which process they are from', async () => {
    expect(await resourceWith({ NODE_ENV: 'production' })).toMatchObject({
      'service.name': 'orders-api',
      'service.version': VERSION,
      'service.instance.id': expect.stringMatching(/^[\da-f-]{36}$/),
      'deployment.environment.name': 'production',
    });
  });

  it('say what the operator has them say', async () => {
    const env = {
      NODE_ENV: '',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=sales,service.instance.id=api-7',
    };
    const resource = await resourceWith(env);
    expect(resource).toMatchObject({
      'service.name': 'shop',
      'service.namespace': 'sales',
      'service.instance.id': 'api-7',
    });
    expect(resource).not.toHaveProperty('deployment.environment.name');
  });
});

describe('at the end', () => {
  async function traceTo(url: string): Promise<Tracing> {
    const tracing = startTracing('orders-api', withEnv({ OTEL_EXPORTER_OTLP_ENDPOINT: url }));
    tracing.reportTo(log);
    await inSpan('work', {}, async () => undefined);
    return tracing;
  }

  it('what a collector refuses is reported, and not waited for', async () => {
    const receiver = await openReceiver((res) => void res.writeHead(400).end());
    const tracing = await traceTo(receiver.url);
    expect(await tracing.flush(HANG_MS)).toBe(true);
    expect(log.warn.mock.calls).toEqual([[expect.objectContaining({ lost: 1 }), expect.any(String)]]);
    receiver.close();
  });

  it('a collector that does not answer is waited for no longer than that', async () => {
    let answer!: () => void;
    const receiver = await openReceiver((res) => (answer = () => res.end()));
    const tracing = await traceTo(receiver.url);
    expect(await tracing.flush(0)).toBe(false);
    await eventually(async () => expect(receiver.received).toHaveLength(1));
    answer();
    expect(await tracing.flush(HANG_MS)).toBe(true);
    receiver.close();
  });
});
