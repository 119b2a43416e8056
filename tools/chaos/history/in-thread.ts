import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Anomaly } from '.';
import type { Note, Work } from './thread';

const THREAD = join(__dirname, 'thread.ts');
/** More than the possibilities take that are tried of one object. */
const MOST_MEGABYTES = 2_048;

/**
 * Checks a history as `checkHistory` does, in a thread of its own: the rig carries the messages of all others meanwhile. An
 * object for which the memory is not enough is undecided.
 */
export async function checkHistoryInThread(work: Work, mostMegabytes = MOST_MEGABYTES): Promise<Anomaly[]> {
  const found: Anomaly[] = [];
  const judged = new Set(work.except);
  for (;;) {
    const stuck = await runThread({ ...work, except: judged }, mostMegabytes, (note) => {
      if ('found' in note) found.push(...note.found);
      else judged.add(note.begun.subject);
    });
    if (!stuck) return found;
    found.push({ ...stuck, verdict: { isLinearizable: undefined, tried: null } });
  }
}

/** Returns the object that was too much for the memory, if there was one. */
function runThread(
  work: Work,
  mostMegabytes: number,
  onNote: (note: Note) => void,
): Promise<Pick<Anomaly, 'subject' | 'operations'> | undefined> {
  const thread = new Worker(THREAD, {
    workerData: work,
    execArgv: ['--require', 'tsx/cjs'],
    resourceLimits: { maxOldGenerationSizeMb: mostMegabytes },
  });
  let begun: Pick<Anomaly, 'subject' | 'operations'> | undefined;
  return new Promise((resolve, reject) => {
    thread.on('message', (note: Note) => {
      if ('begun' in note) begun = note.begun;
      onNote(note);
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY' && begun) resolve(begun);
      else reject(error);
    });
    thread.on('exit', () => resolve(undefined));
  });
}
