import type { ManagedProcess } from '../managed-process';
import { secondsSince, type Output } from '../../output';
import type { RunFile } from './run-file';

const STOP_ORDER = ['api', 'worker', 'temporal', 'mongodb'];
/** Added to the limit that API and worker have for themselves (SHUTDOWN_TIMEOUT_MS). */
const STOP_MARGIN_MS = 8_000;

/** The processes of one `npm start`: reports what happens to them, and stops them in order. */
export class Stack {
  private readonly members = new Map<string, ManagedProcess>();
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly output: Output,
    private readonly runFile: RunFile,
    private readonly shutdownTimeoutMs: number,
  ) {}

  /** The options of every process that is started. */
  readonly hooks = {
    restart: true,
    register: (member: ManagedProcess): void => {
      if (this.stopped) member.retire(); // too late to be started
      this.members.set(member.name, member);
    },
    onSpawn: (name: string, pid: number): void => this.runFile.record(name, pid),
    onRestart: (name: string, pid: number): void => this.output.line(`${name} pid ${pid}`),
    onDeath: (name: string, how: string, restartInMs: number | undefined): void => {
      const next = restartInMs === undefined ? '' : `, restarting in ${restartInMs / 1_000} s`;
      this.output.line(`${name} ${how}${next}`);
    },
  };

  get(name: string): ManagedProcess | undefined {
    return this.members.get(name);
  }

  announcePids(): void {
    for (const name of STOP_ORDER) {
      const pid = this.members.get(name)?.pid;
      if (pid !== undefined) this.output.line(`${name} pid ${pid}`);
    }
  }

  stop(): Promise<void> {
    this.stopped ??= this.stopInOrder();
    return this.stopped;
  }

  killAll(): void {
    for (const member of this.members.values()) member.kill();
    this.runFile.release();
  }

  private async stopInOrder(): Promise<void> {
    const members = STOP_ORDER.map((name) => this.members.get(name)).filter((member) => member !== undefined);
    for (const member of members) member.retire();
    const limitMs = this.shutdownTimeoutMs + STOP_MARGIN_MS;
    for (const member of members) {
      if (!member.isRunning) continue;
      const start = Date.now();
      const how = await member.stop(limitMs);
      const forced = how === 'killed' ? ` (killed after ${limitMs / 1_000} s)` : '';
      this.output.line(`${member.name} stopped${forced}, ${secondsSince(start)}`);
    }
    this.runFile.release();
  }
}
