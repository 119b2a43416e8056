import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../../output';
import type { Progress } from '../progress';
import type { Run } from '../report';
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

/** Copies the logs of processes and calls to where they are to be kept, if they are. */
export async function keepLogs(
  { logFolder }: Pick<Rig, 'logFolder'>,
  callLog: string,
  { keepIn, seed }: Pick<ScenarioOptions, 'keepIn' | 'seed'>,
): Promise<void> {
  if (keepIn === undefined) return;
  await cp(logFolder, join(keepIn, `seed-${seed}`), { recursive: true });
  await cp(callLog, join(keepIn, `seed-${seed}`, 'calls.jsonl'));
}
