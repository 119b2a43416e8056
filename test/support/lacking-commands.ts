import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Has the processes that are started from now on note which commands to MongoDB lack a concern, in a file of this folder. */
export function noteLackingCommands(folder: string): void {
  process.env.TEST_LACKING_COMMANDS = join(folder, 'lacking-commands.jsonl');
  const preloaded = JSON.stringify(join(__dirname, 'preloaded-watch.cjs'));
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --require=${preloaded}`.trim();
}

/** The variables by which a process that inherits no others is watched. */
export function watchedProcess(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, TEST_LACKING_COMMANDS } = process.env;
  return { NODE_OPTIONS, TEST_LACKING_COMMANDS };
}

/** Returns what was noted, a line each. */
export function lackingCommands(file = process.env.TEST_LACKING_COMMANDS): string[] {
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, 'utf8').trim().split('\n');
}
