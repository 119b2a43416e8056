import { ManagedProcess, type ProcessOptions } from '../../devstack/managed-process';

/** A process that the rig disturbs. What ends it is either the rig, or a fault of its own. */
export interface Unit {
  readonly name: string;
  readonly isRunning: boolean;
  readonly pid: number | undefined;
  /** Resolves when it has been spawned, which is long before it is ready. */
  start(): Promise<void>;
  /** Ends it, by SIGTERM or at once, and resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Suspends it: it keeps its connections, and does not respond. */
  freeze(): void;
  thaw(): void;
}

export interface UnitOptions extends Omit<ProcessOptions, 'restart' | 'onDeath'> {
  /** Is told of a death that the rig did not cause. */
  onDeath: (death: Death) => void;
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
const RESTART_MS = 1_000;
/** What a freeze does to a process, it does when it is continued. */
const AFTER_THAW_MS = 10_000;

export interface OwnedUnit extends Unit {
  /** Ends it for good. */
  stop(): Promise<void>;
}

export function createUnit({ onDeath, ...options }: UnitOptions): OwnedUnit {
  let isEnding = false;
  let isFrozen = false;
  let thawedAt = -Infinity;
  const waiting = new Set<() => void>();
  const managed = new ManagedProcess({
    ...options,
    onDeath(how) {
      for (const resolve of waiting) resolve();
      waiting.clear();
      if (isEnding) return;
      const isAfterThaw = performance.now() - thawedAt < AFTER_THAW_MS;
      onDeath({ name: options.name, how, isAfterThaw });
      setTimeout(() => void startAgain(), RESTART_MS).unref();
    },
  });
  const startAgain = async (): Promise<void> => {
    if (!managed.isRunning) await managed.start().catch(() => undefined); // it may have been stopped meanwhile
  };
  const signal = (name: NodeJS.Signals): void => {
    if (managed.pid !== undefined) process.kill(managed.pid, name);
  };
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
    async end(how) {
      if (!managed.isRunning) return;
      isEnding = true;
      const end = new Promise<void>((resolve) => void waiting.add(resolve));
      signal('SIGCONT');
      signal(how);
      const timer = setTimeout(() => signal('SIGKILL'), GRACE_MS);
      await end;
      clearTimeout(timer);
    },
    freeze() {
      isFrozen = true;
      signal('SIGSTOP');
    },
    thaw() {
      if (isFrozen) thawedAt = performance.now();
      isFrozen = false;
      signal('SIGCONT');
    },
    async stop() {
      signal('SIGCONT');
      await managed.stop(STOP_MS);
    },
  };
}
