import type { Logger } from 'pino';

/**
 * Tells a process to log more, and with the next one to log as before. SIGUSR1 starts the inspector of Node.js; the SDK of
 * Temporal and our supervisor use neither.
 */
const SIGNAL = 'SIGUSR2';

export interface LevelSwitch {
  set(level: string): void;
  /** Changes between the level at the start and `debug`; between `debug` or `trace` and `info`, if that was the level. */
  toggle(): void;
}

/** Creates what changes the level of a logger; the children that it already has keep theirs. */
export function createLevelSwitch(logger: Logger, onChange?: (level: string) => void): LevelSwitch {
  const configured = logger.level;
  const other = configured === 'debug' || configured === 'trace' ? 'info' : 'debug';

  function set(level: string): void {
    const from = logger.level;
    if (level === from) return;
    const log = () => logger.info({ from, to: level }, 'log level changed');
    if (!logger.isLevelEnabled('info')) logger.level = level;
    log();
    logger.level = level;
    onChange?.(level);
  }

  return { set, toggle: () => set(logger.level === configured ? other : configured) };
}

/** Has the signal do that. Without a listener, it would end the process. */
export function onLevelSignal(toggle: () => void): void {
  process.on(SIGNAL, toggle);
}
