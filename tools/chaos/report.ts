import { mkdir, writeFile } from 'node:fs/promises';
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

/** One run of a scenario with one seed. */
export interface Run {
  seed: number;
  minutes: number;
  /** What was done to the system, in order. */
  faults: { atS: number; text: string }[];
  /** What clients asked for, by what became of it. */
  calls: Record<string, Record<Outcome, number>>;
  /** Messages by link. */
  messages: { from: string; to: string; requests: number; replies: number }[];
  /** How long after the last fault all that was accepted was settled. */
  settledS: number;
  findings: Finding[];
  /** Anything else that the scenario counts. */
  figures?: Record<string, number | string>;
}

export interface Report {
  scenario: string;
  runs: Run[];
}

/** Reports are kept beside those of the benchmarks; those of short runs are not. */
const FOLDER = join(PROJECT_ROOT, 'bench', 'results', 'chaos');
const SHORT_FOLDER = join(PROJECT_ROOT, 'bench', 'results', 'quick', 'chaos');

export function callsOf(log: readonly CallRecord[]): Run['calls'] {
  const calls: Run['calls'] = {};
  for (const { op, outcome } of log) {
    calls[op] ??= { ok: 0, fail: 0, unknown: 0 };
    calls[op][outcome]++;
  }
  return Object.fromEntries(Object.entries(calls).sort(([a], [b]) => a.localeCompare(b)));
}

export function messagesOf(network: Network): Run['messages'] {
  return network
    .links()
    .filter(({ passed }) => passed.request > 0)
    .map(({ from, to, passed }) => ({ from, to, requests: passed.request, replies: passed.reply }));
}

/** Writes `<scenario>.json` and `<scenario>.md`, and returns the path of the latter. */
export async function writeReport(report: Report, { isShort }: { isShort: boolean }): Promise<string> {
  const folder = isShort ? SHORT_FOLDER : FOLDER;
  await mkdir(folder, { recursive: true });
  const file = (extension: string): string => join(folder, `${report.scenario}.${extension}`);
  await writeFile(file('json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(file('md'), pageOf(report));
  return file('md');
}

function pageOf({ scenario, runs }: Report): string {
  return `${[
    `# ${scenario}`,
    `${runs.length} run${runs.length === 1 ? '' : 's'}, ${runs.filter(({ findings }) => findings.length === 0).length} without a finding. ` +
      `Again: \`npm run chaos -- ${scenario} --seed N --minutes M\`.`,
    markdownTable(
      ['Seed', 'Minutes', 'Faults', 'Calls', 'Unknown', 'Settled after, s', 'Findings'],
      runs.map(({ seed, minutes, faults, calls, settledS, findings }) => {
        const all = Object.values(calls);
        return [
          String(seed),
          minutes.toFixed(1),
          String(faults.length),
          String(all.reduce((sum, { ok, fail, unknown }) => sum + ok + fail + unknown, 0)),
          String(all.reduce((sum, { unknown }) => sum + unknown, 0)),
          settledS.toFixed(1),
          String(findings.length),
        ];
      }),
    ),
    ...runs.map(sectionOf),
  ].join('\n\n')}\n`;
}

function sectionOf({ seed, faults, calls, messages, findings, figures = {} }: Run): string {
  return [
    `## Seed ${seed}`,
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
      ['Calls', 'ok', 'fail', 'unknown'],
      Object.entries(calls).map(([op, { ok, fail, unknown }]) => [op, ...[ok, fail, unknown].map(String)]),
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
