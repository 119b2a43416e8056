/** Runs in the sandbox of workflows and reports what they have run, see workflow-coverage.ts. */
import { proxySinks, type WorkflowInterceptors } from '@temporalio/workflow';
import type { Counters, Coverage, CoverageSinks } from './workflow-coverage';

const { coverage } = proxySinks<CoverageSinks>();

/** The first report of a workflow describes the source files as well. */
let isFirst = true;

export function interceptors(): WorkflowInterceptors {
  return {
    internals: [
      {
        concludeActivation(input, next) {
          const { __coverage__: counted } = globalThis as { __coverage__?: Coverage };
          if (counted)
            coverage.merge(isFirst ? (JSON.parse(JSON.stringify(counted)) as Coverage) : countsOf(counted));
          if (counted) Object.values(counted).forEach(reset);
          isFirst = false;
          return next(input);
        },
      },
    ],
  };
}

/** Returns what has been counted since the last report. */
function countsOf(counted: Coverage): Coverage {
  const entries = Object.entries(counted).map(([path, { s, f, b }]) => [
    path,
    { s: pick(s, isPositive), f: pick(f, isPositive), b: pick(b, (counts) => counts.some(isPositive)) },
  ]);
  return Object.fromEntries(entries) as Coverage;
}

const isPositive = (count: number): boolean => count > 0;

function pick<T>(counts: Record<string, T>, isWanted: (count: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => isWanted(count)));
}

function reset({ s, f, b }: Counters): void {
  for (const id of Object.keys(s)) s[id] = 0;
  for (const id of Object.keys(f)) f[id] = 0;
  for (const [id, counts] of Object.entries(b)) b[id] = counts.map(() => 0);
}
