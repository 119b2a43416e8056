import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Output } from '../../output';
import { lastLine, run } from '../../run';
import type { Tool } from './tools';
import { watchTransfer } from './transfer';

const STALL_MS = { first: 8_000, later: 30_000 };

/**
 * Downloads the vendor's program by the library of the vendor or the community, in its own process, which can
 * be killed if it hangs. Returns the path of the executable.
 */
export async function downloadOfficial(
  tool: Tool,
  staging: string,
  output: Output,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  const folder = join(staging, 'official');
  await mkdir(folder);
  const script = resolve(__dirname, tool.official.script);
  const watch = {
    label: `${tool.name}: official download`,
    folder,
    stallMs: STALL_MS,
  };
  const { code, stdout, stderr } = await watchTransfer(output, watch, signal, (abort) =>
    run(process.execPath, [script, folder, tool.official.version], {
      env,
      signal: abort,
    }),
  );
  if (code !== 0) throw new Error(lastLine(stderr) || `the download ended with ${code ?? 'a signal'}`);
  return lastLine(stdout);
}
