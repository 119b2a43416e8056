import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../../output';
import type { Progress } from '../progress';
import { keepEvidence } from '../judge';
import { SHORT_FOLDER, type Finding, type Run } from '../report';
import { startRig, type Rig, type RigOptions } from '../rig/rig';

export interface ScenarioOptions {
  seed: number;
  minutes: number;
  output: Output;
  progress: Progress;
  signal: AbortSignal;
  /** Keeps the logs of the processes and of the calls in this folder, whatever is found. */
  keepIn?: string;
}

/** Starts a rig, disturbs it, and judges what has become of it. */
export interface Scenario {
  name: string;
  /** In a sentence. */
  about: string;
  run(options: ScenarioOptions): Promise<Run>;
}

/** Where the logs of runs with findings are kept, and of those that did not come to their end. */
const KEPT_FOLDER = join(SHORT_FOLDER, 'logs');

type Where = Pick<ScenarioOptions, 'seed' | 'keepIn'> & { name: string };
type Traces = Pick<Rig, 'folder' | 'logFolder' | 'mongodbUri'>;

/** Starts a rig for a run, and stops it afterwards; what tells of a run that went wrong is kept. */
export async function onRig(
  name: string,
  { seed, keepIn, output, signal }: ScenarioOptions,
  options: Omit<RigOptions, 'output' | 'signal' | 'onFailure'>,
  run: (rig: Rig) => Promise<Run>,
): Promise<Run> {
  const where = { name, seed, keepIn };
  const onFailure = async (logFolder: string): Promise<void> =>
    void (await keepLogs({ logFolder, folder: logFolder }, where));
  const rig = await startRig({ ...options, output, signal, onFailure });
  try {
    return await keepingEvidence(rig, where, { output, signal }, () => run(rig));
  } finally {
    await rig.stop();
  }
}

/** Keeps the logs of processes and calls, and what the findings are about, unless nothing is wrong and nobody asks for them. */
export async function keepingEvidence(
  rig: Traces,
  where: Where,
  { output, signal }: Pick<ScenarioOptions, 'output' | 'signal'>,
  run: () => Promise<Run>,
): Promise<Run> {
  let findings: readonly Finding[] | undefined;
  try {
    const made = await run();
    ({ findings } = made);
    return made;
  } finally {
    const isWrong = findings ? findings.length > 0 : !signal.aborted;
    if (isWrong || where.keepIn !== undefined)
      try {
        const folder = await keepLogs(rig, where);
        output.line(`logs are kept in ${folder}`);
        if (findings) await keepEvidence(rig, findings, folder);
      } catch (error) {
        output.line(`not all logs could be kept: ${String(error)}`);
      }
  }
}

/** Copies all logs to a folder of the run, in place of those of an earlier one, and returns it. */
async function keepLogs(
  { folder, logFolder }: Pick<Traces, 'folder' | 'logFolder'>,
  { name, seed, keepIn = KEPT_FOLDER }: Where,
): Promise<string> {
  const kept = join(keepIn, `${name}-seed-${seed}`);
  await rm(kept, { recursive: true, force: true });
  await mkdir(kept, { recursive: true });
  await cp(logFolder, kept, { recursive: true });
  for (const file of (await readdir(folder)).filter((one) => one.endsWith('calls.jsonl')))
    await cp(join(folder, file), join(kept, file));
  return kept;
}
