import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { watchedProcess } from './lacking-commands';

export interface NodeProcess {
  /** Resolves with the next line of output that matches, and rejects if the process ends first. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the signal that ended the process, or null if it exited. */
  readonly ended: Promise<NodeJS.Signals | null>;
  kill(signal: NodeJS.Signals): void;
  /** All output so far. */
  readonly lines: readonly string[];
}

export function spawnNode(args: string[], env: NodeJS.ProcessEnv): NodeProcess {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...watchedProcess(), ...env },
    stdio: ['pipe', 'pipe', 'inherit'], // its input ends when this process does, however it ends
  });
  const ended = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
  const output = createInterface(child.stdout!);
  const lines: string[] = [];
  output.on('line', (line) => lines.push(line));
  return {
    ended,
    lines,
    kill: (signal) => void child.kill(signal),
    line: (pattern) =>
      new Promise((resolve, reject) => {
        output.on('line', (line) => {
          const match = pattern.exec(line);
          if (match) resolve(match);
        });
        void ended.then((signal) => reject(new Error(`${args.join(' ')} ended early (${signal})`)));
      }),
  };
}
