import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GoProgram } from '../go';
import { PROJECT_ROOT } from '../project';
import { run, type RunResult } from '../run';

export const CHART = join('deploy', 'helm');

/** Values of different installations, by the paths of their files. */
export const VALUES = readdirSync(join(PROJECT_ROOT, CHART, 'ci')).map((name) => join(CHART, 'ci', name));

/** The oldest version that Chart.yaml allows, and the newest that kubernetes-validate has schemas of. */
export const KUBERNETES = ['1.30.0', '1.37.0'] as const;

export const HELM: GoProgram = {
  name: 'helm',
  module: 'helm.sh/helm/v3',
  version: 'v3.22.0',
  folder: 'cmd/helm',
};

/** Renders the chart as a release `shop` in a namespace of that name. */
export function render(helm: string, values: string): Promise<RunResult> {
  const args = ['template', 'shop', CHART, '--namespace', 'shop', '--kube-version', KUBERNETES[1]];
  return run(helm, [...args, '--values', values], { cwd: PROJECT_ROOT });
}
