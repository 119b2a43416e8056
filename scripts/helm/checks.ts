import { isDeepStrictEqual } from 'node:util';
import { ConfigError, loadConfig, VARIABLES, type Process as Reader } from '../../src/config';
import { processesOf, type Manifest, type Process } from './manifests';

const API = 'api';
const SETUP = 'setup';
const PAYMENTS = 'payment-worker';
/** Beyond SHUTDOWN_TIMEOUT_MS the SDK of a worker takes 5 s, and connections are to be closed. */
const MARGIN_SECONDS = 10;
const HTTPS = 443;

/** The only Secrets that each process may have, whatever the values. */
const SECRETS: Readonly<Record<string, string[]>> = {
  [API]: [
    'JWT_KEYS',
    'JWT_SECRET',
    'MONGODB_URI',
    'PAYLOAD_KEYS',
    'REDIS_URL',
    'STRIPE_WEBHOOK_SECRET',
    'TEMPORAL_API_KEY',
  ],
  'order-worker': ['MONGODB_URI', 'PAYLOAD_KEYS', 'TEMPORAL_API_KEY'],
  [PAYMENTS]: ['MONGODB_URI', 'PAYLOAD_KEYS', 'STRIPE_SECRET_KEY', 'TEMPORAL_API_KEY'],
  [SETUP]: ['MONGODB_URI', 'TEMPORAL_API_KEY'],
};

/** Values that the application takes, in the place of those in Secrets. */
const SAMPLES: Readonly<Record<string, string>> = {
  JWT_KEYS: JSON.stringify({
    keys: [{ kid: 'a', kty: 'oct', k: 'RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA' }],
  }),
  JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d',
  MONGODB_URI: 'mongodb+srv://user:word@cluster.example.com/orders',
  PAYLOAD_KEYS: '2026-11:RwFqmLVVs43XIV8Zfm1w0Mlt8CdfHWIWzZgTL2Ja1rA=',
  REDIS_URL: 'rediss://:word@cache.example.com:6379',
  STRIPE_SECRET_KEY: 'sk_test_x',
  STRIPE_WEBHOOK_SECRET: 'whsec_x',
  TEMPORAL_API_KEY: 'key',
};

/** What is wrong with the manifests of a release, in sentences. */
export function mistakesIn(manifests: Manifest[]): string[] {
  const processes = processesOf(manifests);
  return [
    ...processes.flatMap((process) =>
      [hardening, resources, secrets, environment, stopping].flatMap((check) =>
        check(process).map((mistake) => `${process.component}: ${mistake}`),
      ),
    ),
    ...references(manifests, processes),
    ...network(manifests, processes),
  ];
}

/** The mistakes whose conditions hold. */
const when = (...cases: [boolean, string][]) => cases.filter(([is]) => is).map(([, mistake]) => mistake);

function hardening({ pod, container }: Process): string[] {
  const expectedPod = {
    runAsNonRoot: true,
    runAsUser: 1_000,
    runAsGroup: 1_000,
    fsGroup: 1_000,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const expected = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  return when(
    [pod.containers.length !== 1, 'the checks know one container'],
    [!isDeepStrictEqual(pod.securityContext, expectedPod), 'the pod is not secured'],
    [!isDeepStrictEqual(container.securityContext, expected), 'the container is not secured'],
    [pod.automountServiceAccountToken !== false, 'it has a token of the API server'],
    [pod.enableServiceLinks !== false, 'Services get into its environment'],
    [!container.volumeMounts.some(({ mountPath }) => mountPath === '/tmp'), 'it cannot write to /tmp'],
  );
}

function resources({ container: { resources: { requests, limits } = {} } }: Process): string[] {
  return when(
    [!requests?.cpu || !requests.memory, 'it requests no CPU or no memory'],
    [
      limits?.memory === undefined || limits.memory !== requests?.memory,
      'its memory is not limited to its request',
    ],
    [limits?.cpu !== undefined, 'its CPU is limited'],
  );
}

function secrets({ component, secrets: names, variables }: Process): string[] {
  const known = Object.keys(SAMPLES);
  return when(
    ...names.map((name): [boolean, string] => [!SECRETS[component]!.includes(name), `${name} is not for it`]),
    ...Object.keys(variables).map((name): [boolean, string] => [known.includes(name), `${name} is readable`]),
  );
}

/** The application itself reads what it would find; the certificates are files that do not exist here. */
function environment({ component, variables, secrets: names, pod, container }: Process): string[] {
  const files = Object.keys(variables).filter((name) => name.endsWith('_PATH'));
  const mounted = pod.volumes.flatMap(({ name, projected }) => {
    const { mountPath } = container.volumeMounts.find((mount) => mount.name === name)!;
    const items = (projected?.sources ?? []).flatMap(({ secret }) => secret.items);
    return items.map(({ path }) => `${mountPath}/${path}`);
  });
  const samples = Object.fromEntries(names.map((name) => [name, SAMPLES[name]]));
  const plain = Object.entries(variables).filter(([name]) => !files.includes(name));
  const known = VARIABLES.map(({ name }) => name);
  return [
    ...files
      .filter((name) => !mounted.includes(variables[name]!))
      .map((name) => `the file of ${name} is missing`),
    ...Object.keys(variables)
      .filter((name) => !known.includes(name) && name !== 'NODE_OPTIONS')
      .map((name) => `the application does not know ${name}`),
    ...complaints(() => loadConfig(readerOf(component), { ...Object.fromEntries(plain), ...samples })),
  ];
}

function readerOf(component: string): Reader {
  if (component === API) return 'api';
  return component === SETUP ? 'setup' : 'worker';
}

function complaints(load: () => unknown): string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

function stopping({ component, manifest, pod, container, variables }: Process): string[] {
  if (component === SETUP) return [];
  const sleep = container.lifecycle?.preStop.sleep.seconds ?? 0;
  const needed = sleep + Number(variables.SHUTDOWN_TIMEOUT_MS) / 1_000 + MARGIN_SECONDS;
  const prefix = variables.API_PREFIX;
  return when(
    [
      !(pod.terminationGracePeriodSeconds! >= needed),
      `it is killed before the ${needed} s are over that it needs`,
    ],
    [manifest.spec?.strategy?.rollingUpdate.maxUnavailable !== 0, 'a rollout takes pods away first'],
    [component === API && sleep === 0, 'it stops before its endpoint is gone'],
    [component === API && container.livenessProbe?.httpGet.path !== `${prefix}/health/live`, 'no liveness'],
    [
      component === API && container.readinessProbe?.httpGet.path !== `${prefix}/health/live`,
      'a server that is away takes every pod out of the Service',
    ],
  );
}

/** Whatever names something else names something that is there. */
function references(manifests: Manifest[], processes: Process[]): string[] {
  const deployments = processes.filter(({ manifest }) => manifest.kind === 'Deployment');
  return manifests.flatMap(({ kind, metadata: { name }, spec }) => {
    const target = spec?.scaleTargetRef?.name;
    const labels =
      spec?.podSelector?.matchLabels ?? spec?.selector?.matchLabels ?? (kind === 'Service' && spec?.selector);
    const isSelected = ({ manifest }: Process) =>
      Object.entries(labels || {}).every(
        ([key, value]) => manifest.spec!.template!.metadata.labels[key] === value,
      );
    const isTarget = ({ manifest }: Process) => manifest.metadata.name === target;
    return when(
      [
        target !== undefined && !deployments.some(isTarget),
        `${kind} ${name} scales ${target}, which is not there`,
      ],
      [!!labels && !processes.some(isSelected), `${kind} ${name} selects no pods`],
    );
  });
}

/** With policies, whoever has none gets nothing, and only those who pay may leave the cluster. */
function network(manifests: Manifest[], processes: Process[]): string[] {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
  if (policies.length === 0) return [];
  const selected = (policy: Manifest) => policy.spec!.podSelector!.matchLabels['app.kubernetes.io/component'];
  const paysOutside = processes.some(({ secrets: names }) => names.includes('STRIPE_SECRET_KEY'));
  const outside = policies.filter(({ spec }) =>
    spec!.egress?.some(({ ports }) => ports.some(({ port }) => port === HTTPS)),
  );
  const expected = paysOutside ? [PAYMENTS] : [];
  return when(
    [!policies.some((policy) => !selected(policy) && !policy.spec!.egress), 'nothing is denied by default'],
    [
      !isDeepStrictEqual(outside.map(selected), expected),
      `the internet is open to ${outside.map(selected).join(', ') || 'nobody'}, not to ${expected.join(', ') || 'nobody'}`,
    ],
    ...processes.map(({ component }): [boolean, string] => [
      !policies.some((policy) => selected(policy) === component),
      `${component} has no network policy`,
    ]),
  );
}
