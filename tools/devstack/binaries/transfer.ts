import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../../output';

const POLL_MS = 250;
/** Less than this is a lock file or the like, not yet data. */
const FIRST_DATA_BYTES = 65_536;

export interface TransferWatch {
  label: string;
  /** the folder that grows while data flows */
  folder: string;
  totalBytes?: number;
  /** How long to wait for data before giving up: before the first data arrive, and afterwards. */
  stallMs: { first: number; later: number };
}

/**
 * Runs a download and shows how its folder grows. Aborts it when nothing comes any more, so that an unreachable
 * host costs seconds while a slow line may take as long as it needs.
 */
export async function watchTransfer<T>(
  output: Output,
  watch: TransferWatch,
  outer: AbortSignal | undefined,
  download: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stall = new AbortController();
  const transfer = output.transfer(watch.label, watch.totalBytes);
  let bytes = 0;
  let lastGrowth = Date.now();
  const limitMs = (): number => (bytes < FIRST_DATA_BYTES ? watch.stallMs.first : watch.stallMs.later);
  const look = async (): Promise<void> => {
    const now = await folderSize(watch.folder);
    if (now !== bytes) lastGrowth = Date.now();
    bytes = now;
    transfer.update(bytes);
    if (Date.now() - lastGrowth > limitMs()) stall.abort();
  };
  const timer = setInterval(() => void look(), POLL_MS);
  try {
    return await download(outer ? AbortSignal.any([outer, stall.signal]) : stall.signal);
  } catch (error) {
    if (stall.signal.aborted) throw new Error(`no data for ${limitMs() / 1_000} s`, { cause: error });
    throw error;
  } finally {
    clearInterval(timer);
    transfer.end();
  }
}

async function folderSize(folder: string): Promise<number> {
  let total = 0;
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const entry = await stat(join(folder, name)).catch(() => undefined);
    if (entry?.isFile()) total += entry.size;
  }
  return total;
}
