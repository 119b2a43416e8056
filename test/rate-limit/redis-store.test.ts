import pino from 'pino';
import { createRedisWindows } from '../../src/rate-limit/redis-store';
import { countIn } from '../../src/rate-limit/store';

const warnings: string[] = [];
const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });

beforeEach(() => void (warnings.length = 0));

describe('the windows in Redis', () => {
  it('count down to nothing, never below', async () => {
    let used = 0;
    const windows = countIn({ countRequest: () => Promise.resolve([++used, 30_000]) }, logger, 'Redis');
    const remaining = [];
    for (let call = 0; call < 4; call++)
      remaining.push((await windows.ratelimiter('limit:ip:::1', 0, 60_000, 2))[0]);
    expect(remaining).toEqual([2, 1, 0, 0]);
  });

  it('let requests through while Redis is down, and say so once per outage', async () => {
    const windows = createRedisWindows('redis://127.0.0.1:1', logger);
    try {
      for (let call = 0; call < 3; call++) {
        expect(await windows.ratelimiter('limit:user:1', 0, 60_000, 5)).toEqual([5, expect.any(Number), 5]);
      }
      expect(warnings).toHaveLength(1);
    } finally {
      windows.close();
    }
  });

  it('warn again after Redis was back', async () => {
    const answers = [new Error('down'), [1, 1_000] as [number, number], new Error('down again')];
    const countRequest = async () => {
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const windows = countIn({ countRequest }, logger, 'Redis');
    for (let call = 0; call < 3; call++) await windows.ratelimiter('key', 0, 1_000, 5);
    expect(warnings).toHaveLength(2);
  });
});
