import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig, VARIABLES, type Process } from '../../../src/config';
import { CHART, HELM, render, VALUES } from '../../../tools/deploy/chart';
import { findGoProgram } from '../../../tools/go';
import { PROJECT_ROOT } from '../../../tools/project';

/** What this test reads of what Helm renders. */
interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec?: { template?: { metadata: { labels: Record<string, string> }; spec: Pod } };
}

interface Pod {
  containers: [Container];
  volumes: { name: string; projected?: { sources: { secret: { items: { path: string }[] } }[] } }[];
}

interface Container {
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef: { name: string } }[];
  volumeMounts: { name: string; mountPath: string }[];
}

/** Values that the application accepts, in the place of those in Secrets. */
const SECRETS: Readonly<Record<string, string>> = {
  JWT_KEYS: JSON.stringify({
    keys: [{ kid: 'a', kty: 'oct', k: 'RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA' }],
  }),
  JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d5c7e91f3a6d8b024',
  MONGODB_URI: 'mongodb+srv://user:word@cluster.example.com/orders',
  PAYLOAD_KEYS: '2026-11:RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=',
  REDIS_URL: 'rediss://:word@cache.example.com:6379',
  SMTP_URL: 'smtps://user:word@mail.example.com',
  STRIPE_SECRET_KEY: 'sk_live_x',
  STRIPE_WEBHOOK_SECRET: 'whsec_x',
  TEMPORAL_API_KEY: 'key',
};
const READERS: Readonly<Record<string, Process>> = {
  api: 'api',
  'order-worker': 'worker',
  'payment-worker': 'worker',
  setup: 'setup',
};
const KNOWN = [...VARIABLES.map(({ name }) => name), 'NODE_OPTIONS'];

const helm = findGoProgram(HELM, process.env);
const withHelm = helm === undefined ? it.skip : it;

withHelm.each(VALUES)(
  'with %s each process accepts the configuration that the chart gives it',
  async (values) => {
    const { code, stdout, stderr } = await render(helm!, values);
    expect([code, stderr]).toEqual([0, '']);
    const manifests = parseAllDocuments(stdout).flatMap(
      (document) => (document.toJS() as Manifest | null) ?? [],
    );
    const templates = manifests.flatMap(({ spec }) => spec?.template ?? []);
    expect(templates.length).toBeGreaterThanOrEqual(3);
    for (const { metadata, spec: pod } of templates) {
      const variables = variablesOf(pod.containers[0], manifests);
      expect(Object.keys(variables).filter((name) => !KNOWN.includes(name))).toEqual([]);
      const files = Object.entries(variables).filter(([name]) => name.endsWith('_PATH'));
      expect(mountedFiles(pod)).toEqual(expect.arrayContaining(files.map(([, path]) => path)));
      // The certificates are files that do not exist here.
      for (const [name] of files) delete variables[name];
      const reader = READERS[metadata.labels['app.kubernetes.io/component']!]!;
      expect(() => loadConfig(reader, variables)).not.toThrow();
    }
  },
);

function variablesOf({ env = [], envFrom = [] }: Container, manifests: Manifest[]): Record<string, string> {
  const maps = envFrom.map(({ configMapRef }) => {
    const isNamed = ({ kind, metadata }: Manifest) =>
      kind === 'ConfigMap' && metadata.name === configMapRef.name;
    return manifests.find(isNamed)!.data;
  });
  const own = env.map(({ name, value }) => [name, value ?? SECRETS[name]!]);
  return Object.assign({}, ...maps, Object.fromEntries(own)) as Record<string, string>;
}

function mountedFiles({ containers: [{ volumeMounts }], volumes }: Pod): string[] {
  return volumes.flatMap(({ name, projected }) => {
    const { mountPath } = volumeMounts.find((mount) => mount.name === name)!;
    const items = (projected?.sources ?? []).flatMap(({ secret }) => secret.items);
    return items.map(({ path }) => `${mountPath}/${path}`);
  });
}

it('the chart runs the image of this version', () => {
  const read = (name: string) =>
    parse(readFileSync(join(PROJECT_ROOT, name), 'utf8')) as Record<string, string>;
  expect(read(join(CHART, 'Chart.yaml')).appVersion).toBe(read('package.json').version);
});
