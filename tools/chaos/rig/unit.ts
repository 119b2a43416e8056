import { ManagedProcess, type ProcessOptions } from '../../devstack/managed-process';

/** A process that the rig disturbs. What ends it is either the rig, or a fault of its own. */
export interface Unit {
  readonly name: string;
  readonly isRunning: boolean;
  readonly pid: number | undefined;
  /** Resolves when it has been spawned, which is long before it is ready. */
  start(): Promise<void>;
  /**
   * Ends it, by SIGTERM or at once, and resolves with how it has ended, or with undefined if it does not run. One that was
   * told to stop, and did not do so of itself and in time without an error, counts as a death that the rig did not cause.
   */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<string | undefined>;
  /** Suspends it: it keeps its connections, and does not respond. */
  freeze(): void;
  thaw(): void;
}

export interface UnitOptions extends Omit<ProcessOptions, 'restart' | 'onDeath'> {
  /** Is told of a death that the rig did not cause. */
  onDeath: (death: Death) => void;
  /** How long it may take to end once it was told to stop. */
  graceMs?: number;
}

export interface Death {
  name: string;
  how: string;
  /** Whether it has only just been continued. */
  isAfterThaw: boolean;
}

const STOP_MS = 20_000;
/** Longer than any process takes that was told to stop; then it is killed. */
const GRACE_MS = 30_000;
const CLEANLY = 'ended with code 0';
/** A process that is only starting has nothing to end, and may not know yet how to. */
const STARTING_MS = 10_000;
const BY_DEFAULT = 'was ended by SIGTERM';
const RESTART_MS = 1_000;
/** What a freeze does to a process, it does when it is continued. */
const AFTER_THAW_MS = 10_000;

export interface OwnedUnit extends Unit {
  /** Ends it for good. */
  stop(): Promise<void>;
}

export function createUnit({ onDeath, graceMs = GRACE_MS, ...options }: UnitOptions): OwnedUnit {
  let isEnding = false;
  let isFrozen = false;
  let thawedAt = -Infinity;
  let startedAt = -Infinity;
  const waiting = new Set<(how: string) => void>();
  const managed = new ManagedProcess({
    ...options,
    onStart(pid) {
      startedAt = performance.now();
      options.onStart?.(pid);
    },
    onDeath(how) {
      for (const resolve of waiting) resolve(how);
      waiting.clear();
      if (isEnding) return;
      onDeath({ name: options.name, how, isAfterThaw: isAfterThaw() });
      setTimeout(() => void startAgain(), RESTART_MS).unref();
    },
  });
  const startAgain = async (): Promise<void> => {
    if (!managed.isRunning) await managed.start().catch(() => undefined); // it may have been stopped meanwhile
  };
  const signal = (name: NodeJS.Signals): void => {
    if (managed.pid !== undefined) process.kill(managed.pid, name);
  };
  const thaw = (): void => {
    if (isFrozen) thawedAt = performance.now();
    isFrozen = false;
    signal('SIGCONT');
  };
  const isAfterThaw = (): boolean => performance.now() - thawedAt < AFTER_THAW_MS;
  const isStarting = (): boolean => performance.now() - startedAt < STARTING_MS;
  return {
    name: options.name,
    get isRunning() {
      return managed.isRunning;
    },
    get pid() {
      return managed.pid;
    },
    async start() {
      isEnding = false;
      if (!managed.isRunning) await managed.start();
    },
    async end(by) {
      if (!managed.isRunning) return undefined;
      isEnding = true;
      const end = new Promise<string>((resolve) => void waiting.add(resolve));
      signal(by);
      if (by === 'SIGKILL') return end; // one that is frozen dies of it as well, and does nothing more
      const mayKnowNothing = isStarting();
      thaw();
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        signal('SIGKILL');
      }, graceMs);
      const ended = await end;
      clearTimeout(timer);
      const how = isLate ? `had not ended ${graceMs / 1_000} s after SIGTERM` : `${ended} after SIGTERM`;
      const isClean = !isLate && (ended === CLEANLY || (mayKnowNothing && ended === BY_DEFAULT));
      if (!isClean) onDeath({ name: options.name, how, isAfterThaw: isAfterThaw() });
      return how;
    },
    freeze() {
      isFrozen = true;
      signal('SIGSTOP');
    },
    thaw,
    async stop() {
      signal('SIGCONT');
      await managed.stop(STOP_MS);
    },
  };
}
