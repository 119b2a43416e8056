// Lints the Helm chart without a cluster: renders it with the values of deploy/helm/ci, holds the result to the schemas
// of Kubernetes and KEDA and to checks of our own (scripts/helm/checks.ts), and tries values that have to be refused.
// helm and kubeconform are taken from PATH, or built once by Go; where that cannot be done, all is skipped.
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { mistakesIn } from './helm/checks';
import type { Manifest } from './helm/manifests';
import { findTools, KUBERNETES, type Tools } from './helm/tools';
import { removeFolder } from '../tools/owned-folder';
import { PROJECT_ROOT, SetupError } from '../tools/project';
import { run } from '../tools/run';

const CHART = join('deploy', 'helm');
const VALUES = readdirSync(join(PROJECT_ROOT, CHART, 'ci')).map((name) => join(CHART, 'ci', name));
const MINIMAL = join(CHART, 'ci', 'minimal-values.yaml');
const EVERYTHING = join(CHART, 'ci', 'everything-values.yaml');

/** Values that have to be refused, in the place of some that are right, and what has to be said about them. */
const REFUSED: [string, object, string][] = [
  [MINIMAL, { secrets: { mongodbUri: { existingSecret: '' } } }, 'name the Secret with MONGODB_URI'],
  [MINIMAL, { secrets: { payloadKeys: { existingSecret: '' } } }, 'name the Secret with PAYLOAD_KEYS'],
  [
    MINIMAL,
    { secrets: { jwtSecret: { existingSecret: '' } } },
    'name the Secret with JWT_SECRET or JWT_KEYS',
  ],
  [EVERYTHING, { secrets: { stripeSecretKey: { existingSecret: '' } } }, 'the Secret with STRIPE_SECRET_KEY'],
  [EVERYTHING, { secrets: { stripeWebhookSecret: { existingSecret: '' } } }, 'with STRIPE_WEBHOOK_SECRET'],
  [MINIMAL, { payments: { provider: '' } }, 'payments.provider is empty: write stripe, or sandbox'],
  [MINIMAL, { payments: { provider: 'cash' } }, "/payments/provider': value must be one of"],
  [MINIMAL, { image: { repository: '' } }, 'image.repository is empty'],
  [MINIMAL, { image: { digest: 'latest' } }, "/image/digest': 'latest' does not match pattern"],
  [MINIMAL, { temporal: { address: '' } }, 'temporal.address is empty'],
  [MINIMAL, { temporal: { address: 'https://temporal' } }, "/temporal/address': "],
  [MINIMAL, { temporal: { taskQueue: 'payments' } }, 'paymentsTaskQueue is the same as'],
  [MINIMAL, { temporal: { apiKey: { existingSecret: 'x' } } }, 'the key would be sent in clear'],
  [MINIMAL, { temporal: { tls: { serverName: 'x' } } }, 'nothing would be encrypted'],
  [MINIMAL, { temporal: { tls: { enabled: true } } }, 'is beyond KEDA'],
  [EVERYTHING, { temporal: { tls: { clientCertificate: { existingSecret: '' } } } }, 'is beyond KEDA'],
  [MINIMAL, { secret: {} }, "additional properties 'secret' not allowed"],
  [MINIMAL, { api: { config: { JWT_SECRET: 'x' } } }, "/api/config': additional properties 'JWT_SECRET'"],
  [MINIMAL, { api: { extraEnv: [{ name: 'JWT_SECRET', value: 'x' }] } }, 'use valueFrom.secretKeyRef'],
  [MINIMAL, { api: { config: { TRUSTED_PROXIES: 0 } }, ingress: { enabled: true } }, 'one rate limit'],
  [MINIMAL, { ingress: { enabled: true } }, 'ingress.hosts is empty'],
  [MINIMAL, { config: { SHUTDOWN_TIMEOUT_MS: 7_000 } }, 'requests would be cut at every deployment'],
  [MINIMAL, { orderWorker: { autoscaling: { minReplicas: 0 } } }, 'got 0, want 1'],
  [MINIMAL, { paymentWorker: { autoscaling: { maxReplicas: 1 } } }, 'maxReplicas is less than minReplicas'],
];

async function lint({ helm, kubeconform, schemas }: Tools, folder: string): Promise<boolean> {
  const call = (command: string, args: string[]) => run(command, args, { cwd: PROJECT_ROOT });
  const template = (values: string[], version = KUBERNETES[1]!) => {
    const files = values.flatMap((file) => ['--values', file]);
    return call(helm, [
      'template',
      'shop',
      CHART,
      '--namespace',
      'shop',
      '--kube-version',
      version,
      ...files,
    ]);
  };

  const passed: boolean[] = [report('version of the chart', versionMistakes())];
  const rendered: string[] = [];
  for (const values of VALUES) {
    const linted = await call(helm, ['lint', CHART, '--strict', '--quiet', '--values', values]);
    passed.push(report(`helm lint, ${values}`, linted.code === 0 ? [] : [linted.stdout + linted.stderr]));
    const { code, stdout, stderr } = await template([values]);
    const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest | null);
    passed.push(
      report(
        `checks, ${values}`,
        code === 0 ? mistakesIn(manifests.filter((one) => one !== null)) : [stderr],
      ),
    );
    rendered.push(join(folder, `${rendered.length}.yaml`));
    await writeFile(rendered.at(-1)!, stdout);
  }
  for (const version of KUBERNETES) {
    const locations = [version, 'keda'].flatMap((name) => [
      '-schema-location',
      join(schemas, name, '{{.ResourceKind}}{{.KindSuffix}}.json'),
    ]);
    const { code, stdout, stderr } = await call(kubeconform, [
      '-strict',
      '-n',
      '2',
      ...locations,
      ...rendered,
    ]);
    passed.push(report(`schemas of Kubernetes ${version} and KEDA`, code === 0 ? [] : [stdout + stderr]));
  }
  const own = join(folder, 'refused.yaml');
  const accepted: string[] = [];
  for (const [values, wrong, complaint] of REFUSED) {
    await writeFile(own, JSON.stringify(wrong));
    const { code, stderr } = await template([values, own]);
    if (code === 0 || !stderr.includes(complaint))
      accepted.push(`${JSON.stringify(wrong)} is not refused with "${complaint}": ${stderr}`);
  }
  passed.push(report(`${REFUSED.length} values that are refused`, accepted));
  return passed.every(Boolean);
}

/** The image has the chart's appVersion for its tag. */
function versionMistakes(): string[] {
  const read = (name: string) =>
    parse(readFileSync(join(PROJECT_ROOT, name), 'utf8')) as Record<string, string>;
  const { appVersion } = read(join(CHART, 'Chart.yaml'));
  const { version } = read('package.json');
  return appVersion === version ? [] : [`appVersion is ${appVersion}, but package.json has ${version}`];
}

function report(name: string, mistakes: string[]): boolean {
  console.log(`${mistakes.length === 0 ? 'passed ' : 'FAILED '} ${name}`);
  for (const mistake of mistakes) console.log(mistake.trim().replace(/^/gm, '  '));
  return mistakes.length === 0;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lint-helm-'));
  try {
    const tools = await findTools(process.env, (line) => console.log(line));
    process.exitCode = (await lint(tools, folder)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`skipped helm: ${error.message}`);
  } finally {
    await removeFolder(folder);
  }
}

void main();
