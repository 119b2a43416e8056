import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../scripts/servers/project';
import { barChart } from './bar-chart';
import type { Goal } from './goals';
import { markdownTable } from './markdown';

/** One line of a table, and one bar of a plot. */
export interface Row {
  name: string;
  /** By the name of the column. */
  values: Record<string, number>;
}

export interface Table {
  title: string;
  /** How it was measured, in a sentence or two. */
  method: string;
  rows: Row[];
  /** The column of the plot, and its unit. */
  plot?: { column: string; unit: string };
}

export interface ScenarioResult {
  scenario: string;
  tables: Table[];
  goals: Goal[];
}

const FOLDER = join(PROJECT_ROOT, 'bench', 'results');

/** Writes `<scenario>.json`, `.md` and an SVG per plot. */
export async function writeResult(result: ScenarioResult): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const machine = machineOf();
  const file = (extension: string) => join(FOLDER, `${result.scenario}${extension}`);
  await writeFile(file('.json'), `${JSON.stringify({ ...machine, ...result }, null, 2)}\n`);
  await writeFile(file('.md'), markdown(result, machine));
  for (const [n, { title, rows, plot }] of result.tables.entries()) {
    if (!plot) continue;
    const bars = rows.map(({ name, values }) => ({ name, value: values[plot.column]! }));
    await writeFile(file(`-${n + 1}.svg`), barChart(`${title}: ${plot.column}`, bars, plot.unit));
  }
}

function machineOf() {
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') ? ' and changes' : ''),
    node: process.version,
    cores: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: PROJECT_ROOT, encoding: 'utf8' }).trim();
}

function markdown(
  { scenario, tables, goals }: ScenarioResult,
  machine: ReturnType<typeof machineOf>,
): string {
  const { at, commit, node, cores, cpu, memoryGiB } = machine;
  return [
    `# ${scenario}`,
    `${at}, commit ${commit}, Node ${node}, ${cores} cores (${cpu}), ${memoryGiB} GiB. All processes and the client share the machine: compare within one table.`,
    ...tables.flatMap(({ title, method, rows, plot }, n) => [
      `## ${title}`,
      method,
      markdownTable(
        ['', ...Object.keys(rows[0]?.values ?? {})],
        rows.map(({ name, values }) => [name, ...Object.values(values).map(shown)]),
      ),
      ...(plot ? [`![${title}](${scenario}-${n + 1}.svg)`] : []),
    ]),
    ...(goals.length === 0 ? [] : ['## Goals', goalTable(goals)]),
    '',
  ].join('\n\n');
}

function goalTable(goals: readonly Goal[]): string {
  return markdownTable(
    ['', 'what', 'goal', 'measured'],
    goals.map(({ met, what, goal: wanted, measured }) => [
      met ? 'met' : '**missed**',
      what,
      wanted,
      measured,
    ]),
  );
}

function shown(value: number): string {
  return Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}
