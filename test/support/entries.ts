import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { watchedProcess } from './lacking-commands';

/** The arguments with which Node.js runs an entry of src/ from source. */
export function entryArgs(name: string): string[] {
  return ['--import', 'tsx', join(__dirname, '..', '..', 'src', `${name}.ts`)];
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs an entry to its end. */
export function runEntry(
  name: string,
  env: NodeJS.ProcessEnv,
  { args = [], input = '' }: { args?: string[]; input?: string } = {},
): Promise<Finished> {
  return runNode([...entryArgs(name), ...args], env, input);
}

/** Runs Node.js to its end. */
export async function runNode(args: string[], env: NodeJS.ProcessEnv, input = ''): Promise<Finished> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...watchedProcess(), ...env },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
