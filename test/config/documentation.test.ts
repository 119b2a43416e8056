import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { loadConfig, VARIABLES, type Process } from '../../src/config';
import { configurationPage, envExample } from '../../tools/configuration';

const ROOT = join(__dirname, '..', '..');
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

it('docs/configuration.md is what npm run docs:configuration writes', () => {
  const page = read('docs', 'configuration.md');
  expect(page).toBe(configurationPage(page));
});

describe('.env.example', () => {
  it('is what npm run docs:configuration writes', () => {
    expect(read('.env.example')).toBe(envExample());
  });

  it('configures every process once the empty variables are set', () => {
    const env = parseEnv(read('.env.example')) as Record<string, string>;
    const secrets = {
      JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d5c7e91f3a6d8b024',
      PAYLOAD_KEYS: '2026-11:RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=',
    };
    const empty = Object.keys(env).filter((name) => env[name] === '');
    expect(empty.sort()).toEqual(Object.keys(secrets).sort());
    for (const reader of ['api', 'worker', 'setup'] as const)
      expect(() => loadConfig(reader, { ...env, ...secrets })).not.toThrow();
  });
});

it.each(VARIABLES)('$name has a description of one line', ({ rule }) => {
  const { flags } = rule.describe() as { flags?: { description?: string } };
  expect(flags?.description).toMatch(/^\S.+[^.\s]$/);
});

it('one proxy is what .env.example and the production compose file say', () => {
  expect(read('.env.example')).toMatch(/^#?TRUSTED_PROXIES=1$/m);
  expect(read('docker-compose.production.yml')).toContain('TRUSTED_PROXIES: ${TRUSTED_PROXIES:-1}');
});

describe('every variable', () => {
  const lackedBy = (known: readonly string[]) =>
    VARIABLES.map(({ name }) => name).filter((name) => !known.includes(name));

  it('is passed on by docker-compose.yml, except what the image has and what another Temporal needs', () => {
    const passed = [...read('docker-compose.yml').matchAll(/^ +([A-Z][A-Z0-9_]+):/gm)].map(
      ([, name]) => name!,
    );
    const others = lackedBy(passed);
    expect(
      others.filter((name) => !/^TEMPORAL_(TLS|API_KEY|DEPLOYMENT_NAME|WORKER_BUILD_ID)/.test(name)).sort(),
    ).toEqual(['HOST', 'METRICS_HOST', 'NODE_ENV', 'PORT']);
  });

  it('can be set in the chart, except what is in files there', () => {
    const templates = readdirSync(join(ROOT, 'deploy', 'helm', 'templates'));
    const chart = [
      ...templates.map((name) => read('deploy', 'helm', 'templates', name)),
      read('deploy', 'helm', 'values.schema.json'),
    ].join();
    const others = lackedBy(chart.match(/\b[A-Z][A-Z0-9_]+\b/g)!);
    // The chart is for production only, where no network is allowed.
    expect(others.filter((name) => !name.endsWith('_DATA'))).toEqual([
      'DATA_DIR',
      'WEBHOOK_ALLOWED_NETWORKS',
    ]);
  });
});

describe("the chart's values.schema.json", () => {
  interface Property {
    enum?: string[];
    minimum?: number;
    maximum?: number;
  }
  interface Properties {
    properties: { config: { properties: Record<string, Property> } };
  }
  const chart = JSON.parse(read('deploy', 'helm', 'values.schema.json')) as {
    properties: Record<'api' | 'orderWorker' | 'paymentWorker', Properties> & Properties['properties'];
  };
  const { config, api, orderWorker, paymentWorker } = chart.properties;
  const cases = [
    [config, ['api', 'worker']],
    [api.properties.config, ['api']],
    [orderWorker.properties.config, ['worker']],
    [paymentWorker.properties.config, ['worker']],
  ] as const;
  const all = cases.flatMap(([{ properties }, readers]) =>
    Object.entries(properties).map(([name, property]) => ({ name, property, readers })),
  );

  it.each(all)('has the limits of $name', ({ name, property, readers }) => {
    const variable = VARIABLES.find((one) => one.name === name);
    expect(variable?.readBy.some((reader) => (readers as readonly Process[]).includes(reader))).toBe(true);
    const { rules = [], allow } = variable!.rule.describe() as {
      rules?: { name: string; args?: { limit?: number } }[];
      allow?: string[];
    };
    const limit = (rule: string) => rules.find((one) => one.name === rule)?.args?.limit;
    expect(property).toMatchObject({ ...(allow && { enum: allow }) });
    expect([property.minimum, property.maximum]).toEqual([limit('min'), limit('max')]);
  });
});
