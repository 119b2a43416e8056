import { judgeMemory, type Sample, type Samples } from '../../../tools/chaos/memory';

const AN_HOUR = 60;

/** A process that needs as much as the function says, at each moment from 0 to 1. */
function process(name: string, of: (at: number) => Partial<Sample>): Samples {
  const samples = Array.from({ length: 101 }, (_none, index) => {
    const at = index / 100;
    return { at, megabytes: 100, open: 40, ...of(at) };
  });
  return new Map([[`${name} 4711`, samples]]);
}

const foundIn = (samples: Samples, minutes = AN_HOUR): string[] =>
  judgeMemory(samples, minutes).findings.map(({ subject, found }) => `${subject} ${found}`);

describe('the memory of a long run', () => {
  it('may grow while caches fill, and by a tenth afterwards', () => {
    const filling = process('worker-1', (at) => ({ megabytes: at < 1 / 3 ? 300 * at : 100 + 9 * at }));
    expect(foundIn(filling)).toEqual([]);
    expect(judgeMemory(filling, AN_HOUR).figures).toMatchObject({
      'worker-1, MB, warm': 104,
      'worker-1, MB, in the end': 108,
    });
  });

  it('finds a process of ours that needs more and more, in a run that is long enough to tell', () => {
    const leaking = process('api-1', (at) => ({ megabytes: 100 + 50 * at }));
    expect(foundIn(leaking)).toEqual(['api-1 146']);
    expect(foundIn(leaking, 5)).toEqual([]);
    expect(foundIn(process('mongodb-1', (at) => ({ megabytes: 100 + 50 * at })))).toEqual([]);
    expect(foundIn(process('api-1', (at) => ({ open: 40 + Math.round(60 * at) })))).toEqual(['api-1 95']);
  });
});
