import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../../output';
import type { Progress } from '../progress';
import { keepEvidence } from '../judge';
import type { Finding, Run } from '../report';
import type { Rig } from '../rig/rig';

export interface ScenarioOptions {
  seed: number;
  minutes: number;
  output: Output;
  progress: Progress;
  signal: AbortSignal;
  /** Keeps the logs of the processes and of the calls in this folder. */
  keepIn?: string;
}

/** Starts a rig, disturbs it, and judges what has become of it. */
export interface Scenario {
  name: string;
  /** In a sentence. */
  about: string;
  run(options: ScenarioOptions): Promise<Run>;
}

/** Keeps the logs of processes and calls, and what the findings are about, if they are to be kept. */
export async function keepLogs(
  rig: Rig,
  { callLog, findings }: { callLog: string; findings: readonly Finding[] },
  { keepIn, seed }: Pick<ScenarioOptions, 'keepIn' | 'seed'>,
): Promise<void> {
  if (keepIn === undefined) return;
  const folder = join(keepIn, `seed-${seed}`);
  await cp(rig.logFolder, folder, { recursive: true });
  await cp(callLog, join(folder, 'calls.jsonl'));
  await keepEvidence(rig, findings, folder);
}
