import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', 'histories');

/** Keeps the history of a run for the replay test, when `RECORD_HISTORIES` is set and there is none of that name yet. */
export async function recordHistory(name: string, handle: WorkflowHandle): Promise<void> {
  if (!process.env.RECORD_HISTORIES) return;
  const history = await handle.fetchHistory();
  const file = join(FOLDER, `${name}.json`);
  // Recorded ones are never changed: they stand for the workflows that are running somewhere.
  await writeFile(file, `${withoutPaths(historyToJSON(history))}\n`, { flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

/** Stack traces name where the project lies on this machine. */
function withoutPaths(json: string): string {
  return json.replaceAll(join(__dirname, '..', '..'), '.');
}

export async function recordedHistories(): Promise<{ workflowId: string; history: unknown }[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.json'));
  return Promise.all(
    files.map(async (file) => ({
      workflowId: file.replace(/\.json$/, ''),
      history: JSON.parse(await readFile(join(FOLDER, file), 'utf8')) as unknown,
    })),
  );
}
