import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { dependencies } from '../../package.json';
import { PROJECT_ROOT } from '../../tools/project';
import type { Goal } from './goals';
import { barChart, markdownTable } from './markdown';

/** One line of a table, and one bar of its chart. */
export interface Row {
  name: string;
  /** By the name of the column. */
  values: Record<string, number>;
  /** Requests per second in each round, for the JSON. */
  rates?: readonly number[];
  /** Any other figures of each round, for the JSON. */
  rounds?: Readonly<Record<string, readonly number[]>>;
}

export interface Table {
  title: string;
  /** How it was measured, in a sentence or two. */
  method: string;
  rows: Row[];
  /** The column of the chart, and rows left out because they would dwarf the others. */
  plot?: { column: string; without?: readonly string[] };
}

export interface ScenarioResult {
  /** Also the name of its files. */
  scenario: string;
  tables: Table[];
  goals: Goal[];
}

/** Results are kept; those of `--quick` are not. */
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

/** What is stored of a scenario: its result, how it was measured and on what. */
export type StoredResult = ScenarioResult &
  ReturnType<typeof machineOf> & { rounds: number; seconds: number };

/** Writes `<scenario>.json` and, from it, `<scenario>.md`. Returns the folder. */
export async function writeResult(
  result: ScenarioResult,
  { isQuick, serverVersions, ...effort }: Effort,
): Promise<string> {
  const folder = isQuick ? QUICK_FOLDER : FOLDER;
  await mkdir(folder, { recursive: true });
  const stored: StoredResult = { ...machineOf(serverVersions), ...effort, ...result };
  const file = (extension: string) => join(folder, `${result.scenario}${extension}`);
  await writeFile(file('.json'), `${JSON.stringify(stored, null, 2)}\n`);
  await writeFile(file('.md'), resultPage(stored));
  return folder;
}

function machineOf(serverVersions: Record<string, string>) {
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    commit: currentCommit(),
    node: process.version,
    versions: { ...serverVersions, ...versionsOf('@temporalio/worker', 'koa', 'mongoose') },
    cores: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    setting: SETTING,
  };
}

/** How the setting differs from production, and so moves the figures. */
const SETTING =
  "Temporal's development server keeps its data in a file, as `npm start` does, and has one shard, whose queue it loads " +
  'up to 100 times a second; MongoDB is a replica set of one; payloads are unencrypted; all processes and the client ' +
  'share the machine. Compare figures within one table only.';

/** Returns what is being measured. Results of what ran before are no changes. */
export function currentCommit(): string {
  const changes = git('status', '--porcelain', '--', '.', ':!bench/results');
  return git('rev-parse', '--short', 'HEAD') + (changes ? ' and changes' : '');
}

function versionsOf(...packages: (keyof typeof dependencies)[]): Record<string, string> {
  return Object.fromEntries(packages.map((name) => [name, dependencies[name]]));
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: PROJECT_ROOT, encoding: 'utf8' }).trim();
}

/** Returns the Markdown page of a stored result. */
export function resultPage({ scenario, tables, goals, ...machine }: StoredResult): string {
  const { at, commit, node, versions, cores, cpu, memoryGiB, setting } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `# ${scenario}`,
    `${at}, commit ${commit}, ${cores} cores (${cpu}), ${memoryGiB} GiB; Node ${node}, ${named.join(', ')}. ${setting}`,
    ...tables.flatMap(({ title, method, rows, plot }) => [
      `## ${title}`,
      method,
      markdownTable(
        ['', ...Object.keys(rows[0]?.values ?? {})],
        rows.map(({ name, values }) => [name, ...Object.values(values).map(shown)]),
      ),
      ...(plot ? [chartOf(rows, plot)] : []),
    ]),
    ...(goals.length === 0 ? [] : ['## Goals', goalTable(goals)]),
    '',
  ].join('\n\n');
}

function chartOf(rows: readonly Row[], { column, without = [] }: NonNullable<Table['plot']>): string {
  const shownRows = rows.filter(({ name }) => !without.includes(name));
  return barChart(
    column,
    shownRows.map(({ name, values }) => [name, Number(values[column]!.toPrecision(3))]),
  );
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
