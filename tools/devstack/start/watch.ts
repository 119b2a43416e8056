import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Output } from '../../output';
import { PROJECT_ROOT } from '../../project';
import { lastLine, run } from '../../run';
import type { Stack } from './stack';

const STOP_MS = 15_000;
const DIST = join(PROJECT_ROOT, 'dist');

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
  output.line('watching the sources …');
}

async function apply(changed: Folder[], stack: Stack, output: Output, signal: AbortSignal): Promise<void> {
  if (changed.some((folder) => WATCHED[folder].bundle)) {
    const { code, stderr } = await run(process.execPath, [join(DIST, 'scripts', 'bundle-workflows.js')], {
      signal,
    });
    if (code !== 0) return output.line(lastLine(stderr));
  }
  const names = new Set(changed.flatMap((folder) => [...WATCHED[folder].restart]));
  for (const name of names) {
    output.line(`${changed.join(', ')} changed, restarting ${name}`);
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
