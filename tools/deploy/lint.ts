import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { goModule, goProgram, type GoProgram } from '../go';
import { createOutput } from '../output';
import { removeFolder } from '../owned-folder';
import { PROJECT_ROOT, SetupError } from '../project';
import { findPrometheus } from '../prometheus';
import { pythonPackages, type PythonPackages } from '../python';
import { run } from '../run';
import { promtoolTests } from './alert-scenarios';
import { CHART, HELM, KUBERNETES, render, VALUES } from './chart';
import { areSloRulesCurrent } from './slos';

const HELM_UNITTEST: GoProgram = {
  name: 'helm-unittest',
  module: 'github.com/helm-unittest/helm-unittest',
  version: 'v1.1.2',
  folder: 'cmd/helm-unittest',
};
/** Kinds that Kubernetes does not have, by who defines them and where. */
const CUSTOM_RESOURCES = [
  {
    name: 'KEDA',
    group: 'keda.sh',
    module: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    folder: join('config', 'crd', 'bases'),
  },
  {
    name: 'the Prometheus operator',
    group: 'monitoring.coreos.com',
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    folder: join('example', 'prometheus-operator-crd'),
  },
];
/** Exact versions with their hashes; the first line of the file says how it is made. */
const REQUIREMENTS = join(__dirname, 'requirements.txt');
const COMPOSE = ['compose', '-f', 'docker-compose.yml', '-f', 'docker-compose.production.yml'];

const output = createOutput();
let failures = 0;

/**
 * Lints what is deployed, without a container engine and a cluster. Programs that npm does not have are
 * installed once: by pip, without which this fails in CI, by Go, without which the chart is not checked, and by apt-get,
 * without which the alerts are not.
 */
async function main(): Promise<void> {
  await lintMerge();
  const packages = await available('Dockerfile, .ci/run and manifests', process.env.CI !== undefined, () =>
    pythonPackages('deploy-linters', REQUIREMENTS, process.env, output),
  );
  if (packages) {
    const program = (name: string): string => join(packages.folder, 'bin', name);
    await check('hadolint', program('hadolint'), ['Dockerfile']);
    await check('shellcheck', program('shellcheck'), ['.ci/run']);
  }
  const helm = await available('chart', false, () => goProgram(HELM, process.env, output));
  if (helm) await lintChart(helm, packages);
  const prometheus = await available('rules of Prometheus', false, () => findPrometheus(process.env, output));
  if (prometheus) await lintRules(prometheus.promtool);
  const current = await available('rules of the SLOs', false, () => areSloRulesCurrent(process.env, output));
  if (current !== undefined) report('rules of the SLOs', current, 'Run npm run slos.');
  const unittest = await available('tests of the chart', false, () =>
    goProgram(HELM_UNITTEST, process.env, output),
  );
  if (unittest) await check('helm-unittest', unittest, [CHART, '--strict']);
  process.exitCode = failures === 0 ? 0 : 1;
}

/** Merges the Compose files as the engine does, where it is installed. */
async function lintMerge(): Promise<void> {
  const { code } = await run('docker', ['compose', 'version']).catch(() => ({ code: 1 }));
  if (code !== 0) return output.line('skipped  docker compose config: Docker Compose is not installed');
  const names = [
    'JWT_SECRET',
    'PAYLOAD_KEYS',
    'POSTGRES_PASSWORD',
    'MONGODB_PASSWORD',
    'MONGODB_ROOT_PASSWORD',
    'SMTP_URL',
    'MAIL_FROM',
    'ACCOUNT_PAGE_URL',
  ];
  const secrets = Object.fromEntries(names.map((name) => [name, 'x']));
  await check('docker compose config', 'docker', [...COMPOSE, 'config', '--quiet'], secrets);
}

async function lintChart(helm: string, packages: PythonPackages | undefined): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lint-chart-'));
  try {
    const manifests: string[] = [];
    for (const values of VALUES) {
      await check(`helm lint, ${values}`, helm, ['lint', CHART, '--strict', '--quiet', '--values', values]);
      const { stdout } = await render(helm, values);
      manifests.push(join(folder, basename(values)));
      await writeFile(manifests.at(-1)!, stdout);
    }
    if (packages) await validate(manifests, packages);
  } finally {
    await removeFolder(folder);
  }
}

/** Checks the rules, and that each alert fires and clears, once, under made series. */
async function lintRules(promtool: string): Promise<void> {
  const rules = ['alerts.yml', 'slos.yml'].map((name) => join(PROJECT_ROOT, CHART, 'rules', name));
  await check('promtool check rules', promtool, ['check', 'rules', ...rules]);
  const folder = await mkdtemp(join(tmpdir(), 'lint-rules-'));
  try {
    const tests = join(folder, 'tests.yml');
    await writeFile(tests, promtoolTests(rules));
    await check('promtool test rules', promtool, ['test', 'rules', tests]);
  } finally {
    await removeFolder(folder);
  }
}

async function validate(manifests: string[], { command, env }: PythonPackages): Promise<void> {
  const versions = KUBERNETES.flatMap((version) => ['-k', version]);
  const args = ['-m', 'kubernetes_validate', '--strict', '--quiet', ...versions, ...manifests];
  // It only warns of kinds that Kubernetes does not have; they are checked below.
  const mistake = /WARN (?!.* (keda\.sh|monitoring\.coreos\.com)\/)/;
  await check(`schemas of Kubernetes ${KUBERNETES.join(', ')}`, command, args, env, mistake);
  for (const { name, group, folder, ...module } of CUSTOM_RESOURCES) {
    const what = `schemas of ${name}`;
    const source = await available(what, false, () => goModule(module, process.env));
    const script = join(__dirname, 'custom_resources.py');
    if (source) await check(what, command, [script, group, join(source, folder), ...manifests], env);
  }
}

/** Runs a linter, which fails by its exit code or, where given, by what it says. */
async function check(
  name: string,
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  mistake?: RegExp,
): Promise<void> {
  const result = await run(command, args, { cwd: PROJECT_ROOT, env: { ...process.env, ...env } });
  const said = result.stdout + result.stderr;
  report(name, result.code === 0 && !mistake?.test(said), said);
}

function report(name: string, passed: boolean, said: string): void {
  output.line(`${passed ? 'passed  ' : 'FAILED  '} ${name}`);
  if (passed) return;
  failures++;
  output.line(said.trim().replace(/^/gm, '  '));
}

/** Returns undefined, and says what is skipped, where a tool cannot be had. */
async function available<T>(
  what: string,
  isRequired: boolean,
  find: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    output.line(`${isRequired ? 'FAILED  ' : 'SKIPPED '} ${what}: ${error.message}`);
    if (isRequired) failures++;
    return undefined;
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
