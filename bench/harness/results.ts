import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { dependencies } from '../../package.json';
import { PROJECT_ROOT } from '../../tools/project';
import { barChart } from './bar-chart';
import type { Goal } from './goals';
import { markdownTable } from './markdown';

/** One line of a table, and one bar of a plot. */
export interface Row {
  name: string;
  /** By the name of the column. */
  values: Record<string, number>;
  /** What each round gave, for the JSON: requests per second. */
  rates?: readonly number[];
  /** The same of any other figures. */
  rounds?: Readonly<Record<string, readonly number[]>>;
}

export interface Table {
  title: string;
  /** How it was measured, in a sentence or two. */
  method: string;
  rows: Row[];
  /** The column of the plot, its unit, and rows that would dwarf the others. */
  plot?: { column: string; unit: string; without?: readonly string[] };
}

export interface ScenarioResult {
  /** Also the name of its files. */
  scenario: string;
  tables: Table[];
  goals: Goal[];
}

/** Where results are kept, and those of a look in passing. */
const FOLDER = join(PROJECT_ROOT, 'bench', 'results');
const QUICK_FOLDER = join(FOLDER, 'quick');

/** How it was measured. */
export interface Effort {
  rounds: number;
  seconds: number;
  isQuick: boolean;
  /** Of Temporal and MongoDB. */
  serverVersions: Record<string, string>;
}

/** Writes `<scenario>.json`, `.md` and an SVG per plot. Returns the folder. */
export async function writeResult(
  result: ScenarioResult,
  { isQuick, serverVersions, ...effort }: Effort,
): Promise<string> {
  const folder = isQuick ? QUICK_FOLDER : FOLDER;
  await mkdir(folder, { recursive: true });
  const machine = machineOf(serverVersions);
  const file = (extension: string) => join(folder, `${result.scenario}${extension}`);
  await writeFile(file('.json'), `${JSON.stringify({ ...machine, ...effort, ...result }, null, 2)}\n`);
  await writeFile(file('.md'), markdown(result, machine));
  for (const [n, { title, rows, plot }] of result.tables.entries()) {
    if (!plot) continue;
    const shownRows = rows.filter(({ name }) => !plot.without?.includes(name));
    const bars = shownRows.map(({ name, values }) => ({ name, value: values[plot.column]! }));
    await writeFile(file(`-${n + 1}.svg`), barChart(`${title}: ${plot.column}`, bars, plot.unit));
  }
  return folder;
}

function machineOf(serverVersions: Record<string, string>) {
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    // Results of the scenarios before this one are no changes.
    commit:
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--', '.', ':!bench/results') ? ' and changes' : ''),
    node: process.version,
    versions: { ...serverVersions, ...versionsOf('@temporalio/worker', 'koa', 'mongoose') },
    cores: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

/** What is not as in production, and moves figures. */
const SETTING =
  "Temporal's development server keeps its data in memory and has one shard, whose queue it loads up to 100 times a " +
  'second; MongoDB is a replica set of one; payloads are in clear; all processes and the client share the machine: ' +
  'compare within one table.';

function versionsOf(...packages: (keyof typeof dependencies)[]): Record<string, string> {
  return Object.fromEntries(packages.map((name) => [name, dependencies[name]]));
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: PROJECT_ROOT, encoding: 'utf8' }).trim();
}

function markdown(
  { scenario, tables, goals }: ScenarioResult,
  machine: ReturnType<typeof machineOf>,
): string {
  const { at, commit, node, versions, cores, cpu, memoryGiB } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `# ${scenario}`,
    `${at}, commit ${commit}, ${cores} cores (${cpu}), ${memoryGiB} GiB; Node ${node}, ${named.join(', ')}. ${SETTING}`,
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
