import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder, onceInCache } from './cache';
import { secondsSince, type Output } from './output';
import { messageOf, SetupError } from './project';
import { lastLine, run } from './run';

/** A module of the Go module proxy, whose hash Go looks up in its checksum database. */
export interface GoModule {
  module: string;
  version: string;
}

export interface GoProgram extends GoModule {
  name: string;
  /** Folder of its main package in the module. */
  folder: string;
  /** How long the build may take, for a large program. What it has compiled by then stays in Go's own cache. */
  buildMs?: number;
}

const BUILD_MS = 580_000;

/** Returns the path of the program in the cache or on PATH; undefined if it is in neither. */
export function findGoProgram(program: GoProgram, env: NodeJS.ProcessEnv): string | undefined {
  const onPath = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, program.name));
  return [join(cacheFolder(env), cachedName(program)), ...onPath].find((path) => existsSync(path));
}

/**
 * Returns the path of the program, which is built into the cache if it is neither there nor on PATH. It is
 * built in its own module, as `go install` does not build modules with `replace` directives.
 * @throws {SetupError} without Go, or with a version of Go that is too old for it
 */
export async function goProgram(program: GoProgram, env: NodeJS.ProcessEnv, output: Output): Promise<string> {
  const found = findGoProgram(program, env);
  if (found !== undefined) return found;
  return onceInCache(cachedName(program), env, async (staging) => {
    const start = Date.now();
    output.line(`${program.name}: building it by Go, which takes some minutes …`);
    const source = await goModule(program, env);
    const target = join(staging, program.name);
    await go(
      ['build', '-C', source, '-mod=readonly', '-o', target, `./${program.folder}`],
      env,
      program.buildMs,
    );
    output.line(`${program.name}: done, ${secondsSince(start)}`);
    return target;
  });
}

/** Downloads a module and returns its folder. @throws {SetupError} when that fails */
export async function goModule({ module, version }: GoModule, env: NodeJS.ProcessEnv): Promise<string> {
  const stdout = await go(['mod', 'download', '-json', `${module}@${version}`], env);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** With GOTOOLCHAIN=local a Go that is too old says so, instead of downloading another one. */
async function go(args: string[], env: NodeJS.ProcessEnv, timeoutMs = BUILD_MS): Promise<string> {
  const options = { env: { ...env, GOFLAGS: '', GOTOOLCHAIN: 'local' }, timeoutMs };
  const { code, stdout, stderr } = await run('go', args, options).catch((error: unknown) => ({
    code: 1,
    stdout: '',
    stderr: messageOf(error),
  }));
  if (code === 0) return stdout;
  throw new SetupError(`This needs Go and the Go module proxy: go ${args[0]} failed (${lastLine(stderr)}).`);
}

function cachedName({ name, version }: GoProgram): string {
  return `${name}-${version}-${process.platform}-${process.arch}`;
}
