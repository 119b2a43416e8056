import type { Logger } from 'pino';

const CHECK_TIMEOUT_MS = 2_000;

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
  /** From now on not ready, so that nobody sends new requests here. */
  drain(): void;
}

export function createHealth(checks: Readonly<Record<string, Check>>, logger: Logger): Health {
  let draining = false;
  /** Checks that failed when last made: an outage is logged once, not at every probe. */
  const failing = new Set<string>();
  /** Those under way: however many ask, and however late a check is, there is one at a time. */
  const underWay = new Map<string, Promise<void>>();
  const once = (name: string, check: Check): Check =>
    function () {
      const running = underWay.get(name) ?? check().finally(() => underWay.delete(name));
      underWay.set(name, running);
      return running;
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

async function run(name: string, check: Check, failing: Set<string>, logger: Logger): Promise<CheckResult> {
  const started = performance.now();
  const result = (status: CheckResult['status']) => ({
    status,
    latencyMs: Math.round(performance.now() - started),
  });
  try {
    await withinTimeout(check());
    failing.delete(name);
    return result('up');
  } catch (err) {
    if (!failing.has(name)) logger.warn({ err, check: name }, 'a health check failed');
    failing.add(name);
    return result('down');
  }
}

async function withinTimeout(check: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${CHECK_TIMEOUT_MS} ms.`)), CHECK_TIMEOUT_MS);
  });
  await Promise.race([check, timeout]).finally(() => clearTimeout(timer));
}
