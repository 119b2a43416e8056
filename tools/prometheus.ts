import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { onceInCache } from './cache';
import type { Output } from './output';
import { messageOf, SetupError } from './project';
import { lastLine, run, type RunOptions } from './run';

/** Paths of both programs. */
export interface Prometheus {
  prometheus: string;
  promtool: string;
}

/**
 * Finds Prometheus on PATH or in the cache, and otherwise takes Debian's package apart, which needs no rights.
 * @throws {SetupError} where there is neither
 */
export async function findPrometheus(env: NodeJS.ProcessEnv, output: Output): Promise<Prometheus> {
  const onPath = (env.PATH ?? '').split(delimiter).find((folder) => isIn(folder));
  if (onPath !== undefined) return programsIn(onPath);
  const name = `prometheus-debian-${process.platform}-${process.arch}`;
  const folder = await onceInCache(name, env, async (staging) => {
    output.line('prometheus: downloading the package of Debian …');
    await step('apt-get', ['download', 'prometheus'], { cwd: staging });
    const [archive] = (await readdir(staging)).filter((file) => file.endsWith('.deb'));
    const whole = join(staging, 'package');
    await step('dpkg', ['-x', join(staging, archive!), whole]);
    return join(whole, 'usr', 'bin');
  });
  return programsIn(folder);
}

const isIn = (folder: string): boolean => Object.values(programsIn(folder)).every((path) => existsSync(path));

const programsIn = (folder: string): Prometheus => ({
  prometheus: join(folder, 'prometheus'),
  promtool: join(folder, 'promtool'),
});

async function step(command: string, args: string[], options: RunOptions = {}): Promise<void> {
  const failure = await run(command, args, options).then(
    ({ code, stderr }) => (code === 0 ? undefined : lastLine(stderr)),
    messageOf,
  );
  if (failure === undefined) return;
  throw new SetupError(
    `This needs prometheus and promtool on PATH, or Debian's package: ${command} failed (${failure}).`,
  );
}
