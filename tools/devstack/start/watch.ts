import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Output } from '../../output';
import { PROJECT_ROOT } from '../../project';
import { lastLine, run } from '../../run';
import type { Stack } from './stack';

const STOP_MS = 15_000;
const DIST = join(PROJECT_ROOT, 'dist');
/** The files of the order board, which the build copies. */
const PAGE = join('src', 'board', 'page');
/** How long to wait for what else an editor writes. */
const SETTLE_MS = 100;

/** Compiled folders, and what a change in one of them affects. */
const WATCHED = {
  src: { bundle: false, restart: ['api', 'worker'] },
  // The domain is also part of the workflow bundle.
  'src/domain': { bundle: true, restart: ['api', 'worker'] },
  workflows: { bundle: true, restart: ['api', 'worker'] },
  activities: { bundle: false, restart: ['worker'] },
} as const;
type Folder = keyof typeof WATCHED;

/** Compiles on every change of the sources, then bundles and restarts what the change affects. */
export function watchSources(stack: Stack, output: Output, signal: AbortSignal): void {
  let known = hashFolders();
  let work = Promise.resolve();
  const compiler = spawn(
    process.execPath,
    [
      join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      'tsconfig.build.json',
      '--watch',
      '--preserveWatchOutput',
      '--pretty',
      'false',
    ],
    { cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'inherit'], signal },
  );
  compiler.on('error', (error) => signal.aborted || output.line(`tsc --watch: ${error.message}`));
  createInterface({ input: compiler.stdout }).on('line', (line) => {
    const finished = /Found (\d+) errors?/.exec(line);
    if (!finished) {
      if (line.includes('error')) output.line(line);
      return;
    }
    if (finished[1] !== '0') return output.line(`tsc: ${finished[1]} errors, nothing is restarted`);
    const now = hashFolders();
    const changed = (Object.keys(WATCHED) as Folder[]).filter((folder) => now[folder] !== known[folder]);
    known = now;
    work = work.then(() => apply(changed, stack, output, signal));
  });
  watchPage(signal, () => {
    cpSync(join(PROJECT_ROOT, PAGE), join(DIST, PAGE), { recursive: true });
    known = hashFolders();
    work = work.then(() => restart(['api'], PAGE, stack, output));
  });
  output.line('watching the sources …');
}

function watchPage(signal: AbortSignal, onChange: () => void): void {
  let soon: NodeJS.Timeout | undefined;
  watch(join(PROJECT_ROOT, PAGE), { signal }, () => {
    clearTimeout(soon);
    soon = setTimeout(onChange, SETTLE_MS);
  });
}

async function apply(changed: Folder[], stack: Stack, output: Output, signal: AbortSignal): Promise<void> {
  if (changed.some((folder) => WATCHED[folder].bundle)) {
    const { code, stderr } = await run(process.execPath, [join(DIST, 'scripts', 'bundle-workflows.js')], {
      signal,
    });
    if (code !== 0) return output.line(lastLine(stderr));
  }
  const names = new Set(changed.flatMap((folder) => [...WATCHED[folder].restart]));
  await restart(names, changed.join(', '), stack, output);
}

async function restart(names: Iterable<string>, what: string, stack: Stack, output: Output): Promise<void> {
  for (const name of names) {
    output.line(`${what} changed, restarting ${name}`);
    await stack.get(name)?.replace(STOP_MS);
  }
}

function hashFolders(): Record<Folder, string> {
  return {
    src: hashOf('src', 'domain'),
    'src/domain': hashOf('src/domain'),
    workflows: hashOf('workflows'),
    activities: hashOf('activities'),
  };
}

function hashOf(folder: string, except?: string): string {
  const hash = createHash('sha256');
  for (const name of (readdirSync(join(DIST, folder), { recursive: true }) as string[]).sort()) {
    if (!name.endsWith('.js') || (except && name.startsWith(`${except}/`))) continue;
    hash.update(name).update(readFileSync(join(DIST, folder, name)));
  }
  return hash.digest('hex');
}
