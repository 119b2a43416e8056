import { sampled } from '../../src/telemetry/sampled';

let now: number;
let reads: { resolve(value: number): void; reject(error: Error): void }[];
const read = () => new Promise<number>((resolve, reject) => void reads.push({ resolve, reject }));
const sample = () => sampled(read, { everyMs: 15_000, patienceMs: 1, now: () => now });

beforeEach(() => {
  now = 1_000_000;
  reads = [];
});

describe('a sample', () => {
  it('is read once for all who ask, and not again until its time is over', async () => {
    const ask = sampled(read, { everyMs: 15_000, patienceMs: 60_000, now: () => now });
    const answers = [ask(), ask()];
    reads[0]!.resolve(1);
    expect(await Promise.all(answers)).toEqual([1, 1]);
    now += 14_999;
    expect(await ask()).toBe(1);
    expect(reads).toHaveLength(1);
    now += 1;
    const next = ask();
    reads[1]!.resolve(2);
    expect(await next).toBe(2);
  });

  it('is unknown once it is too old, and cannot be read, or not in time', async () => {
    const ask = sample();
    const first = ask();
    reads[0]!.resolve(1);
    expect(await first).toBe(1);
    now += 15_000;
    expect(await ask()).toBeUndefined();
    expect(await ask()).toBeUndefined();
    expect(reads).toHaveLength(2); // one is under way at a time, however long it takes
    reads[1]!.reject(new Error('MongoDB is away'));
    expect(await ask()).toBeUndefined();
    expect(reads).toHaveLength(2); // what has failed is not tried again at once either
  });

  it('takes at most a hundredth of the time', async () => {
    const ask = sample();
    void ask();
    now += 2_000;
    reads[0]!.resolve(1);
    expect(await ask()).toBe(1);
    now += 197_999;
    expect(await ask()).toBe(1);
    now += 1;
    void ask();
    expect(reads).toHaveLength(2);
  });

  it('that could not be taken is soon tried again, so that the end of an outage shows', async () => {
    const ask = sample();
    void ask();
    now += 5_000;
    reads[0]!.reject(new Error('MongoDB is away'));
    expect(await ask()).toBeUndefined();
    now += 14_999;
    void ask();
    expect(reads).toHaveLength(1);
    now += 1;
    void ask();
    expect(reads).toHaveLength(2);
  });
});
