import type { InjectedSinks, WorkerOptions } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';

/** How often each statement, function and branch of a source file has run, as Istanbul counts. */
export interface Counters {
  s: Record<string, number>;
  f: Record<string, number>;
  b: Record<string, number[]>;
}

/** Counters by the path of the source file. */
export type Coverage = Record<string, Counters>;

export interface CoverageSinks extends Sinks {
  coverage: { merge(reported: Coverage): void };
}

/**
 * Adds what workflows run to the coverage of a test file. They count in their sandbox, and report at the end of each
 * activation. The library that makes them count, `@temporalio/nyc-test-coverage`, would report the whole map each time and
 * keep all reports until the end, which takes gigabytes in a file with many orders; this adds up the counts.
 */
export function createWorkflowCoverage() {
  const total: Coverage = {};
  const sinks: InjectedSinks<CoverageSinks> = {
    coverage: {
      merge: { fn: (_info, reported) => addAll(total, reported), callDuringReplay: false },
    },
  };
  return {
    sinks: sinks as WorkerOptions['sinks'],
    /** Moves the counters to those of the test file. Without coverage there are none. */
    collect(): void {
      const { __coverage__: ofFile } = globalThis as { __coverage__?: Coverage };
      if (ofFile) addAll(ofFile, total);
    },
  };
}

function addAll(to: Coverage, from: Coverage): void {
  for (const [path, reported] of Object.entries(from)) {
    const known = to[path];
    if (known) add(known, reported);
    else to[path] = reported;
  }
}

function add({ s, f, b }: Counters, reported: Counters): void {
  for (const [id, count] of Object.entries(reported.s)) s[id] = (s[id] ?? 0) + count;
  for (const [id, count] of Object.entries(reported.f)) f[id] = (f[id] ?? 0) + count;
  for (const [id, counts] of Object.entries(reported.b))
    b[id] = counts.map((count, n) => (b[id]?.[n] ?? 0) + count);
}
