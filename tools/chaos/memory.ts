import { readdir, readFile } from 'node:fs/promises';
import { notProven, type Bar } from './proof';
import type { Finding, Run } from './report';
import type { Rig } from './rig/rig';

/** How large a process was at some moment. */
export interface Sample {
  /** From 0 to 1, of the run. */
  at: number;
  megabytes: number;
  /** Files and connections that it has open. */
  open: number;
}

/** By name and process id: one that was started again has begun anew. */
export type Samples = Map<string, Sample[]>;

const INTERVAL_MS = 5_000;
const KILOBYTES_PER_MEGABYTE = 1_000;
/** What is measured before is how caches fill. */
const WARM = 1 / 3;
const EARLY = { from: WARM, to: 1 / 2 };
const LATE = { from: 5 / 6, to: 1 };
const MOST_GROWTH = 0.1;
/** Some connections are opened when they are needed. */
const MOST_MORE_OPEN = 10;
/** In a run that is shorter, all is warm-up. */
const LEAST_MINUTES = 30;
/** Those of ours. Servers keep what they are given. */
const JUDGED = /^(api|worker)-/;

/** Measures all processes of the rig until it is told to stop. Takes Linux. */
export function watchMemory({ units }: Rig, durationMs: number): () => Samples {
  const samples: Samples = new Map();
  const start = performance.now();
  async function measure(): Promise<void> {
    for (const { name, pid } of units.values()) {
      const sizes = pid === undefined ? undefined : await sizesOf(pid);
      if (!sizes) continue;
      const key = `${name} ${pid}`;
      const at = Math.min(1, (performance.now() - start) / durationMs);
      samples.set(key, [...(samples.get(key) ?? []), { at, ...sizes }]);
    }
  }
  const timer = setInterval(() => void measure(), INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return samples;
  };
}

async function sizesOf(pid: number): Promise<Omit<Sample, 'at'> | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    const open = (await readdir(`/proc/${pid}/fd`)).length;
    return kilobytes === undefined
      ? undefined
      : { megabytes: Number(kilobytes) / KILOBYTES_PER_MEGABYTE, open };
  } catch {
    return undefined; // it has just ended
  }
}

/**
 * Compares what processes need once they are warm with what they need in the end.
 * @param processes the names of all that there are
 */
export function judgeMemory(
  samples: Samples,
  { minutes, processes }: { minutes: number; processes: readonly string[] },
): { findings: Finding[]; figures: NonNullable<Run['figures']> } {
  const findings: Finding[] = [];
  const figures: NonNullable<Run['figures']> = {};
  const isJudged = minutes >= LEAST_MINUTES;
  if (!isJudged) figures.memory = `not judged in less than ${LEAST_MINUTES} minutes`;
  const measured = new Set<string>();
  for (const [process, taken] of samples) {
    const [early, late] = [EARLY, LATE].map(({ from, to }) =>
      middleOf(taken.filter(({ at }) => at >= from && at <= to)),
    );
    if (!early || !late) continue; // it was started after the warm-up, or has ended
    const name = process.split(' ')[0]!;
    measured.add(name);
    figures[`${name}, MB, warm`] = Math.round(early.megabytes);
    figures[`${name}, MB, in the end`] = Math.round(late.megabytes);
    figures[`${name}, open files, warm`] = early.open;
    figures[`${name}, open files, in the end`] = late.open;
    if (!JUDGED.test(name) || !isJudged) continue;
    if (late.megabytes > early.megabytes * (1 + MOST_GROWTH))
      findings.push(grown(name, 'megabytes', early, late));
    if (late.open > early.open + MOST_MORE_OPEN) findings.push(grown(name, 'open', early, late));
  }
  const unmeasured = processes.filter((name) => JUDGED.test(name) && !measured.has(name));
  return { findings: isJudged ? [...findings, ...notProven(unmeasured.map(barOf))] : findings, figures };
}

function barOf(process: string): Bar {
  return { what: `${process}, measured once it was warm and in the end`, atLeast: 1, found: 0 };
}

function grown(subject: string, what: 'megabytes' | 'open', early: Sample, late: Sample): Finding {
  return {
    kind: 'grown',
    means: 'A process needs more and more memory, files or connections',
    subject,
    expected: `${what}: about ${early[what].toFixed(0)}, as after the warm-up`,
    found: late[what].toFixed(0),
  };
}

function middleOf(samples: readonly Sample[]): Sample | undefined {
  const middle = (of: (sample: Sample) => number): number =>
    samples.map(of).sort((a, b) => a - b)[Math.floor(samples.length / 2)]!;
  if (samples.length === 0) return undefined;
  return {
    at: middle(({ at }) => at),
    megabytes: middle(({ megabytes }) => megabytes),
    open: middle(({ open }) => open),
  };
}
