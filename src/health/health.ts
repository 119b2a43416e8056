import type { Logger } from 'pino';

const CHECK_TIMEOUT_MS = 2_000;

/** @throws if what it checks is not ready; the log has the message, which clients do not see */
export type Check = () => Promise<void>;

export interface CheckResult {
  status: 'up' | 'down';
  latencyMs: number;
}

export interface Readiness {
  status: 'ready' | 'unavailable' | 'draining';
  checks: Record<string, CheckResult>;
}

export interface Health {
  readiness(): Promise<Readiness>;
  /** Reports this process as not ready from now on, so that it receives no new requests. */
  drain(): void;
}

export function createHealth(checks: Readonly<Record<string, Check>>, logger: Logger): Health {
  let draining = false;
  /** Why checks failed last time, so that an outage is logged once for each reason and not at every probe. */
  const failing = new Map<string, string>();
  /** The checks that are running: however many probes come, and however slow it is, each runs once at a time. */
  const running = new Map<string, Promise<void>>();
  const once = (name: string, check: Check): Check =>
    function () {
      const current = running.get(name) ?? check().finally(() => running.delete(name));
      running.set(name, current);
      return current;
    };
  return {
    async readiness() {
      if (draining) return { status: 'draining', checks: {} };
      const entries = Object.entries(checks).map(
        async ([name, check]) => [name, await run(name, once(name, check), failing, logger)] as const,
      );
      const results = Object.fromEntries(await Promise.all(entries));
      const allUp = Object.values(results).every(({ status }) => status === 'up');
      return { status: allUp ? 'ready' : 'unavailable', checks: results };
    },
    drain: () => void (draining = true),
  };
}

async function run(name: string, check: Check, failing: Map<string, string>, logger: Logger): Promise<CheckResult> {
  const started = performance.now();
  const latency = () => Math.round(performance.now() - started);
  try {
    await withinTimeout(check());
    failing.delete(name);
    return { status: 'up', latencyMs: latency() };
  } catch (err) {
    const { message } = err as Error;
    if (failing.get(name) !== message) logger.warn({ err, check: name }, 'a health check failed');
    failing.set(name, message);
    return { status: 'down', latencyMs: latency() };
  }
}

async function withinTimeout(check: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No response within ${CHECK_TIMEOUT_MS} ms.`)),
      CHECK_TIMEOUT_MS,
    );
  });
  await Promise.race([check, timeout]).finally(() => clearTimeout(timer));
}
