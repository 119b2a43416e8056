import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../../output';

const POLL_MS = 250;
/** Less than this is a lock file, not data. */
const FIRST_DATA_BYTES = 65_536;

export interface TransferWatch {
  label: string;
  /** The folder that grows during the download. */
  folder: string;
  totalBytes?: number;
  /** Aborts if nothing has arrived for this long, before and after the first data. */
  stallMs: { first: number; later: number };
}

/**
 * Runs a download and shows how its folder grows. Aborts it when data stop arriving, so that an unreachable
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
