import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { markdownTable } from '../../bench/harness/markdown';
import { PROJECT_ROOT } from '../project';
import type { CallRecord, Outcome } from './log';
import type { Network } from './network';

/** What is wrong, as the audit says it. */
export interface Finding {
  kind: string;
  /** What is wrong wherever there is a finding of the kind. */
  means: string;
  subject: string;
  expected: string;
  found: string;
}

export interface CallCounts extends Record<Outcome, number> {
  /** How those that were not ok ended, by status and code; missing in reports of earlier runs. */
  answers?: Record<string, number>;
}

/** One run of a scenario with one seed. */
export interface Run {
  seed: number;
  minutes: number;
  /** What was done to the system, in order. One that was not made, or has met nothing, says why. */
  faults: { atS: number; text: string; isMade?: boolean }[];
  /** What clients asked for, by what became of it. */
  calls: Record<string, CallCounts>;
  /** Messages by link. */
  messages: { from: string; to: string; requests: number; replies: number }[];
  /** How long after the last fault all that was accepted was settled. */
  settledS: number;
  findings: Finding[];
  /** Anything else that the scenario counts. */
  figures?: Record<string, number | string>;
}

/** When, of what, and on how busy a machine a run was made. */
export interface Circumstances {
  at: string;
  commit: string;
  /** How many processes wanted to run, on average over a minute; missing if it was not measured. */
  load?: { before: number; after: number };
}

/** What is kept of every run. */
type Line = Circumstances &
  Pick<Run, 'seed' | 'minutes' | 'settledS'> & {
    faults: number;
    calls: number;
    unknown: number;
    findings: number;
  };

type Detail = Circumstances & Run;

/** What is known of a scenario: each run adds to it. */
export interface Report {
  scenario: string;
  runs: Line[];
  /** All of the last run, and of each with findings, until someone who knows the cause deletes it here. */
  details: Detail[];
}

/** Reports are kept beside those of the benchmarks; those of short runs are not. */
const FOLDER = join(PROJECT_ROOT, 'bench', 'results', 'chaos');
export const SHORT_FOLDER = join(PROJECT_ROOT, 'bench', 'results', 'quick', 'chaos');

/** Returns what is known of a run that did not come to its end: this, too, is a finding. */
export function runWithoutEnd({ seed, minutes }: Pick<Run, 'seed' | 'minutes'>, error: unknown): Run {
  return {
    seed,
    minutes,
    faults: [],
    calls: {},
    messages: [],
    settledS: 0,
    findings: [
      {
        kind: 'not_ended',
        means: 'The run did not come to its end',
        subject: 'the rig',
        expected: 'a run of which everything can be judged',
        found: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      },
    ],
  };
}

export function callsOf(log: readonly CallRecord[]): Run['calls'] {
  const calls: Record<string, Required<CallCounts>> = {};
  for (const { op, outcome, status, code } of log) {
    calls[op] ??= { ok: 0, fail: 0, unknown: 0, answers: {} };
    calls[op][outcome]++;
    if (outcome === 'ok') continue;
    const answer = `${status ?? 'no answer'} ${code ?? ''}`.trim();
    calls[op].answers[answer] = (calls[op].answers[answer] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(calls).sort(([a], [b]) => a.localeCompare(b)));
}

export function messagesOf(network: Network): Run['messages'] {
  return network
    .links()
    .filter(({ passed }) => passed.request > 0)
    .map(({ from, to, passed }) => ({ from, to, requests: passed.request, replies: passed.reply }));
}

/**
 * Adds a run to `<scenario>.json`, writes `<scenario>.md` from it, and returns the path of the latter. The reports of short
 * runs have one run.
 */
export async function keepRun(
  scenario: string,
  run: Detail,
  { isShort }: { isShort: boolean },
): Promise<string> {
  const folder = isShort ? SHORT_FOLDER : FOLDER;
  await mkdir(folder, { recursive: true });
  const file = (extension: string): string => join(folder, `${scenario}.${extension}`);
  const report = addRun(isShort ? undefined : await readReport(file('json')), scenario, run);
  await writeFile(file('json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(file('md'), pageOf(report));
  return file('md');
}

async function readReport(file: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the report with one run more. */
export function addRun(report: Report | undefined, scenario: string, run: Detail): Report {
  const { runs = [], details = [] } = report ?? {};
  return {
    scenario,
    runs: [...runs, lineOf(run)],
    details: [...details.filter((one) => one.findings.length > 0), run],
  };
}

function lineOf({ at, commit, load, seed, minutes, faults, calls, settledS, findings }: Detail): Line {
  const all = Object.values(calls);
  return {
    at,
    commit,
    load,
    seed,
    minutes,
    faults: faults.filter(({ isMade = true }) => isMade).length,
    calls: all.reduce((sum, { ok, fail, unknown }) => sum + ok + fail + unknown, 0),
    unknown: all.reduce((sum, { unknown }) => sum + unknown, 0),
    settledS,
    findings: findings.length,
  };
}

const dayOf = (at: string): string => at.slice(0, 'yyyy-mm-dd'.length);

const HEAD = ['Day', 'Commit', 'Load', 'Seed', 'Minutes', 'Faults', 'Calls', 'Unknown', 'Settled after, s'];

export function pageOf({ scenario, runs, details }: Report): string {
  const minutes = runs.reduce((sum, run) => sum + run.minutes, 0);
  const clean = runs.filter(({ findings }) => findings === 0).length;
  return `${[
    `# ${scenario}`,
    `${runs.length} run${runs.length === 1 ? '' : 's'} of ${minutes.toFixed(0)} minutes in all, ${clean} without a finding. ` +
      `Again: \`npm run chaos -- ${scenario} --seed N --minutes M\`. ` +
      'The load is that of the machine before and at the end of a run, in processes that want to run. ' +
      'Below is what is known of the last run, and of those with findings.',
    markdownTable(
      [...HEAD, 'Findings'],
      runs.map(({ at, commit, load, seed, minutes, faults, calls, unknown, settledS, findings }) => [
        dayOf(at),
        commit,
        load ? `${load.before.toFixed(1)} to ${load.after.toFixed(1)}` : 'not measured',
        String(seed),
        minutes.toFixed(1),
        String(faults),
        String(calls),
        String(unknown),
        settledS.toFixed(1),
        String(findings),
      ]),
    ),
    ...details.map(sectionOf),
  ].join('\n\n')}\n`;
}

function sectionOf({ at, seed, faults, calls, messages, findings, figures = {} }: Detail): string {
  return [
    `## Seed ${seed}, ${dayOf(at)}`,
    findings.length === 0
      ? 'The audit found nothing.'
      : [
          'Findings:',
          ...findings.map(
            ({ kind, means, subject, expected, found }) =>
              `- \`${kind}\` ${subject}: ${means}; expected ${expected}, found ${found}`,
          ),
        ].join('\n'),
    ...(Object.keys(figures).length === 0
      ? []
      : [
          markdownTable(
            ['Figure', 'Value'],
            Object.entries(figures).map(([name, value]) => [name, String(value)]),
          ),
        ]),
    markdownTable(
      ['Calls', 'ok', 'fail', 'unknown', 'how, if not ok'],
      Object.entries(calls).map(([op, { ok, fail, unknown, answers = {} }]) => [
        op,
        ...[ok, fail, unknown].map(String),
        Object.entries(answers)
          .sort(([, a], [, b]) => b - a)
          .map(([answer, count]) => `${count} × ${answer}`)
          .join(', '),
      ]),
    ),
    markdownTable(
      ['Messages', 'requests', 'replies'],
      messages.map(({ from, to, requests, replies }) => [
        `${from} to ${to}`,
        String(requests),
        String(replies),
      ]),
    ),
    [
      'Faults:',
      '',
      '```text',
      ...faults.map(({ atS, text }) => `${atS.toFixed(1).padStart(6)} s  ${text}`),
      '```',
    ].join('\n'),
  ].join('\n\n');
}
