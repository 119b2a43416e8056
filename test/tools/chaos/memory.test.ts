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

const namesIn = (samples: Samples): string[] => [...samples.keys()].map((key) => key.split(' ')[0]!);
const foundIn = (samples: Samples, minutes = AN_HOUR, processes = namesIn(samples)): string[] =>
  judgeMemory(samples, { minutes, processes }).findings.map(({ subject, found }) => `${subject} ${found}`);

describe('the memory of a long run', () => {
  it('may grow while caches fill, and by a tenth afterwards', () => {
    const filling = process('worker-1', (at) => ({ megabytes: at < 1 / 3 ? 300 * at : 100 + 9 * at }));
    expect(foundIn(filling)).toEqual([]);
    expect(judgeMemory(filling, { minutes: AN_HOUR, processes: [] }).figures).toMatchObject({
      'worker-1, MB, warm': 104,
      'worker-1, MB, in the end': 108,
    });
  });

  it('is not proven of a process of ours that was not measured both times, and only judged in a long run', () => {
    const steady = process('api-1', () => ({}));
    const young = new Map([['worker-1 4712', steady.get('api-1 4711')!.filter(({ at }) => at > 0.6)]]);
    const both = new Map([...steady, ...young]);
    const names = ['api-1', 'worker-1', 'worker-2', 'mongodb-1'];
    const notMeasured = ['worker-1', 'worker-2'].map(
      (name) => `${name}, measured once it was warm and in the end 0`,
    );
    expect(foundIn(both, AN_HOUR, names)).toEqual(notMeasured);
    const short = judgeMemory(both, { minutes: 5, processes: names });
    expect(short.findings).toEqual([]);
    expect(short.figures.memory).toBe('not judged in less than 30 minutes');
  });

  it('finds a process of ours that needs more and more, in a run that is long enough to tell', () => {
    const leaking = process('api-1', (at) => ({ megabytes: 100 + 50 * at }));
    expect(foundIn(leaking)).toEqual(['api-1 146']);
    expect(foundIn(leaking, 5)).toEqual([]);
    expect(foundIn(process('mongodb-1', (at) => ({ megabytes: 100 + 50 * at })))).toEqual([]);
    expect(foundIn(process('api-1', (at) => ({ open: 40 + Math.round(60 * at) })))).toEqual(['api-1 95']);
  });
});
