import { inject, type Disturbed, type Injected } from '../../../tools/chaos/inject';
import { createNetwork } from '../../../tools/chaos/network';
import type { Unit } from '../../../tools/chaos/rig/unit';
import { MONGODB, PRIMARY, SECONDARY, type Fault } from '../../../tools/chaos/schedule';

const NODES = ['mongodb-1', 'mongodb-2', 'mongodb-3'];

/** A rig without servers, of which it is written down what is done to them. */
function rigOf({ primary = 'mongodb-2', down = '' }: { primary?: string | null; down?: string } = {}) {
  const done: string[] = [];
  const unitOf = (name: string): Unit => ({
    name,
    isRunning: name !== down,
    pid: 1,
    start: async () => void done.push(`start ${name}`),
    async end(how) {
      done.push(`${how} ${name}`);
      return 'ended with code 0 after SIGTERM';
    },
    freeze: () => void done.push(`freeze ${name}`),
    thaw: () => void done.push(`thaw ${name}`),
  });
  const units = new Map(['api-1', 'worker-1', 'temporal', ...NODES].map((name) => [name, unitOf(name)]));
  const rig = {
    network: createNetwork(),
    units,
    replicaSet: {
      nodes: NODES.map((name) => units.get(name)!),
      primary: async () => primary ?? undefined,
      stepDown: async () => Promise.reject(new Error('No electable secondaries caught up')),
      inSync: async () => void done.push('in sync'),
    },
  };
  return { rig: rig as unknown as Disturbed, done };
}

type Sketch = Fault extends infer One ? (One extends Fault ? Omit<One, 'atMs' | 'forMs'> : never) : never;

async function make(rig: Disturbed, ...faults: Sketch[]): Promise<Injected[]> {
  const told: Injected[] = [];
  const due = faults.map((fault, index) => ({ ...fault, atMs: index, forMs: 20 }));
  await inject(rig, due, new AbortController().signal, (injected) => told.push(injected));
  return told;
}

describe('making faults', () => {
  it('tells which node was meant, and how a process ended', async () => {
    const { rig, done } = rigOf();
    expect(await make(rig, { kind: 'kill', unit: PRIMARY }, { kind: 'terminate', unit: 'worker-1' })).toEqual(
      expect.arrayContaining([
        {
          text: 'kill the primary, start it again after 0.0 s (mongodb-2): it ended with code 0 after SIGTERM',
          isMade: true,
        },
        {
          text: 'terminate worker-1, start it again after 0.0 s: it ended with code 0 after SIGTERM',
          isMade: true,
        },
      ]),
    );
    expect(done).toContain('SIGKILL mongodb-2');
  });

  it('makes one fault of nodes after the other, each when all nodes work', async () => {
    const { rig, done } = rigOf();
    await make(rig, { kind: 'freeze', unit: SECONDARY }, { kind: 'freeze', unit: PRIMARY });
    expect(done).toEqual([
      'in sync',
      'freeze mongodb-1',
      'thaw mongodb-1',
      'in sync',
      'freeze mongodb-2',
      'thaw mongodb-2',
    ]);
  });

  it('says of faults that were not made why not', async () => {
    const { rig } = rigOf({ down: 'worker-1' });
    const told = await make(rig, { kind: 'freeze', unit: 'worker-1' }, { kind: 'stepDown' });
    expect(told).toEqual([
      { text: 'freeze worker-1 for 0.0 s: not made, worker-1 did not run', isMade: false },
      {
        text: 'have the primary step down for 0.0 s: not made, mongodb-2 said No electable secondaries caught up',
        isMade: false,
      },
    ]);
    const leaderless = rigOf({ primary: null });
    const unmade = await make(
      leaderless.rig,
      { kind: 'kill', unit: PRIMARY },
      { kind: 'isolate', together: [] },
      { kind: 'cut', from: 'api-1', to: SECONDARY },
    );
    expect(unmade.map(({ isMade }) => isMade)).toEqual([false, false, false]);
    expect(leaderless.done).toEqual(['in sync', 'in sync']);
  });

  it('says of faults of links that they have met nothing', async () => {
    const { rig } = rigOf();
    const told = await make(
      rig,
      { kind: 'stall', from: 'api-1', to: MONGODB },
      { kind: 'swallow', from: 'api-1', to: 'temporal', after: 0 },
      { kind: 'slow', from: PRIMARY, to: SECONDARY, delayMs: 5 },
    );
    expect(told).toEqual(
      expect.arrayContaining([
        {
          text: 'let nothing through between api-1 and mongodb for 0.0 s: nothing was sent meanwhile',
          isMade: false,
        },
        { text: 'swallow reply 1 of temporal to api-1 within 0.0 s: no such reply came', isMade: false },
        {
          text: 'delay all between the primary and a secondary by 5 ms for 0.0 s (mongodb-2 to mongodb-1): nothing was sent meanwhile',
          isMade: false,
        },
      ]),
    );
  });
});
