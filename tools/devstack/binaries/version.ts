import { lastLine, run } from '../../run';
import { HANG_MS } from '../until';
import type { Tool } from './tools';

/**
 * Returns the version of an executable.
 * @throws {Error} with the reason if it does not run here or is too old
 */
export async function checkVersion(tool: Tool, executable: string, signal?: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await run(executable, ['--version'], {
    timeoutMs: HANG_MS,
    signal,
  });
  const match = tool.versionPattern.exec(stdout);
  if (code !== 0 || !match) {
    throw new Error(
      `does not run here (${lastLine(stderr) || `--version ended with ${code ?? 'a signal'}`})`,
    );
  }
  const [, major, minor, patch] = match.map(Number) as [number, number, number, number];
  const [oldestMajor, oldestMinor] = tool.oldest.version;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(
      `is ${major}.${minor}.${patch}, older than ${oldestMajor}.${oldestMinor} (${tool.oldest.reason})`,
    );
  }
  return `${major}.${minor}.${patch}`;
}
