import pino from 'pino';
import { createRedisStore } from '../../src/rate-limit/redis-store';
import { countIn, failOpen } from '../../src/rate-limit/store';

const warnings: string[] = [];
const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });

beforeEach(() => void (warnings.length = 0));

describe('countIn', () => {
  it('counts down to zero and never below', async () => {
    let used = 0;
    const store = countIn({ count: () => ({ used: ++used, msLeft: 30_000 }) });
    const remaining = [];
    for (let call = 0; call < 4; call++)
      remaining.push((await store.ratelimiter('limit:ip:::1', 0, 60_000, 2))[0]);
    expect(remaining).toEqual([2, 1, 0, 0]);
  });

  it('rounds the end of the window up to a whole second', async () => {
    const before = Date.now();
    const [, end] = await countIn({ count: () => ({ used: 1, msLeft: 1 }) }).ratelimiter('key', 0, 1_000, 2);
    expect(end).toBe(Math.ceil(end));
    expect(end * 1_000).toBeGreaterThan(before);
  });
});

describe('failOpen', () => {
  it('warns again after the counter has recovered', async () => {
    const results = [new Error('down'), { used: 1, msLeft: 1_000 }, new Error('down again')];
    const count = async () => {
      const result = results.shift()!;
      if (result instanceof Error) throw result;
      return result;
    };
    const counter = failOpen({ count }, logger, 'Redis');
    for (let call = 0; call < 3; call++) await counter.count('key', 1_000);
    expect(warnings).toHaveLength(2);
  });
});

describe('the store in Redis', () => {
  it('lets requests pass while Redis is down, and warns once per outage', async () => {
    const store = createRedisStore('redis://127.0.0.1:1', logger);
    try {
      for (let call = 0; call < 3; call++) {
        expect(await store.ratelimiter('limit:user:1', 0, 60_000, 5)).toEqual([5, expect.any(Number), 5]);
      }
      expect(warnings).toHaveLength(1);
    } finally {
      store.close();
    }
  });
});
