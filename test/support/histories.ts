import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', 'histories');

/**
 * Records the history of a run for the replay test if `RECORD_HISTORIES` is set and no file has this name.
 */
export async function recordHistory(name: string, handle: WorkflowHandle): Promise<void> {
  if (!process.env.RECORD_HISTORIES) return;
  const history = await handle.fetchHistory();
  const file = join(FOLDER, `${name}.json`);
  // A recorded history never changes: it stands for workflows that are running in production.
  await writeFile(file, `${withoutPaths(historyToJSON(history))}\n`, { flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

/** Removes the path of the project on this machine, which stack traces contain. */
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
