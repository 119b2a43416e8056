import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { SetupError } from '../project';
import { endWithParent } from './watchdog';

export interface ProcessOptions {
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Its output is appended to this file. */
  logFile: string;
  onLine?: (line: string) => void;
  /** Restarts it when it dies, with growing waits. */
  restart?: boolean;
  onStart?: (pid: number) => void;
  onDeath?: (how: string, restartInMs: number | undefined) => void;
}

const BACKOFF_MS = { first: 500, most: 10_000 };
const STEADY_AFTER_MS = 30_000;

/**
 * A child process in its own process group, so that Ctrl-C reaches it only through `stop`. It ends with its
 * parent, and is restarted when it dies if `restart` is set.
 */
export class ManagedProcess {
  private child: ChildProcess | undefined;
  private log: WriteStream | undefined;
  private retired = false;
  private replacing = false;
  private startedAt = 0;
  private backoffMs = BACKOFF_MS.first;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ProcessOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get logFile(): string {
    return this.options.logFile;
  }

  /** False between its death and its restart. */
  get isRunning(): boolean {
    return this.child !== undefined;
  }

  async start(): Promise<void> {
    if (this.retired) throw new SetupError(`${this.name} is being stopped`);
    this.log ??= createWriteStream(this.options.logFile, { flags: 'a' });
    const { command, args, env, cwd } = this.options;
    const child = spawn(command, args, {
      env,
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new SetupError(`${this.name} cannot be started: ${error.message}`)),
      );
    });
    this.child = child;
    this.startedAt = Date.now();
    const callOff = endWithParent(child.pid as number);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.take(line));
    }
    child.once('exit', (code, signal) => {
      callOff();
      this.child = undefined;
      if (!this.retired && !this.replacing)
        this.died(signal ? `was ended by ${signal}` : `ended with code ${code}`);
    });
    this.options.onStart?.(child.pid as number);
  }

  /** Prevents further restarts. */
  retire(): void {
    this.retired = true;
    clearTimeout(this.restartTimer);
  }

  /** Sends SIGTERM, and SIGKILL if it has not ended within the limit. */
  async stop(limitMs: number): Promise<'stopped' | 'killed'> {
    this.retire();
    const how = await this.endWithin(limitMs);
    this.log?.end();
    return how;
  }

  /** Ends it and starts it again, with new code. */
  async replace(limitMs: number): Promise<void> {
    clearTimeout(this.restartTimer);
    this.replacing = true;
    await this.endWithin(limitMs);
    this.replacing = false;
    if (!this.retired) await this.start();
  }

  kill(): void {
    this.retire();
    this.child?.kill('SIGKILL');
  }

  private async endWithin(limitMs: number): Promise<'stopped' | 'killed'> {
    if (await this.end('SIGTERM', limitMs)) return 'stopped';
    await this.end('SIGKILL', limitMs);
    return 'killed';
  }

  private end(signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
    const child = this.child;
    if (!child) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(true);
      });
      child.kill(signal);
    });
  }

  private take(line: string): void {
    this.log?.write(`${line}\n`);
    this.options.onLine?.(line);
  }

  private died(how: string): void {
    if (!this.options.restart) return this.options.onDeath?.(how, undefined);
    if (Date.now() - this.startedAt > STEADY_AFTER_MS) this.backoffMs = BACKOFF_MS.first;
    const waitMs = this.backoffMs;
    this.backoffMs = Math.min(waitMs * 2, BACKOFF_MS.most);
    this.options.onDeath?.(how, waitMs);
    this.restartTimer = setTimeout(() => {
      this.start().catch((error: Error) => this.died(error.message));
    }, waitMs);
  }
}
