import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallRecord } from '../log';
import { randomOf } from '../random';
import type { Finding } from '../report';
import type { Rig } from '../rig/rig';
import { onRig, type Scenario } from './scenario';
import { underLoad } from './under-load';

/** Much more than a run writes: what is not written yet costs no memory. */
const DISK_MB = 1_024;
const FULL_MS = { least: 15_000, most: 25_000 };
const HEALTHY_MS = 5_000;

/** Whose disk is full. */
interface Shortage {
  name: string;
  of(rig: Rig): Promise<string[]>;
}

const nodesOf = ({ replicaSet }: Rig): string[] => replicaSet.nodes.map(({ name }) => name);

const SHORTAGES: readonly Shortage[] = [
  {
    name: 'the disk of the primary',
    of: async (rig) => [(await rig.replicaSet.primary()) ?? nodesOf(rig)[0]!],
  },
  { name: 'the disks of all nodes of MongoDB', of: (rig) => Promise.resolve(nodesOf(rig)) },
  { name: 'the disk of Temporal', of: () => Promise.resolve(['temporal']) },
];

/** The disks of the servers fill up, and are given space again. */
export const resources: Scenario = {
  name: 'resources',
  about: 'the disks of MongoDB and Temporal are full for a while',
  async run(options) {
    const { seed, minutes, signal } = options;
    const random = randomOf(seed, 'resources');
    const died: string[] = [];
    return onRig(
      'resources',
      options,
      {
        diskMb: DISK_MB,
        // MongoDB ends itself when it cannot write its journal: what supervises it starts it again.
        mayDie: (name) => /^(mongodb|temporal)/.test(name) && died.push(name) > 0,
      },
      (rig) =>
        underLoad(rig, options, {
          async disturb(tell) {
            const endAt = performance.now() + minutes * 60_000;
            for (let turn: Shortage[] = []; turn.length > 0 || performance.now() < endAt;) {
              if (turn.length === 0) turn = random.shuffled(SHORTAGES);
              const { name, of } = turn.pop()!;
              await rig.ready();
              await delay(HEALTHY_MS, undefined, { signal });
              const disks = (await of(rig)).map((one) => rig.disks.get(one)!);
              const forMs = random.between(FULL_MS.least, FULL_MS.most);
              tell({ text: `fill ${name} for ${(forMs / 1_000).toFixed(1)} s`, isMade: true });
              await Promise.all(disks.map((disk) => disk.fill()));
              await delay(forMs, undefined, { signal });
              await Promise.all(disks.map((disk) => disk.empty()));
            }
          },
          look: (records) => lookAt(rig, records, died),
        }),
    );
  },
};

/** What the servers and the APIs say of it, without which the run would prove nothing. */
async function lookAt(
  rig: Rig,
  records: readonly CallRecord[],
  died: readonly string[],
): Promise<{ findings: Finding[]; figures: Record<string, number> }> {
  const [ofMongoDb, ofTemporal] = await Promise.all([
    saysFull(rig, nodesOf(rig), 'No space left on device'),
    saysFull(rig, ['temporal'], 'database or disk is full'),
  ]);
  const attempts = records.flatMap((record) => record.attempts);
  return {
    findings: [['MongoDB', ofMongoDb] as const, ['Temporal', ofTemporal] as const].flatMap(
      ([subject, count]) => (count > 0 ? [] : [withoutEffect(subject)]),
    ),
    figures: {
      'nodes of MongoDB that died for lack of space': died.filter((name) => name !== 'temporal').length,
      'times that Temporal died for lack of space': died.filter((name) => name === 'temporal').length,
      'failures for lack of space that Temporal tells of': ofTemporal,
      'requests that were answered with 503': attempts.filter(({ status }) => status === 503).length,
      'requests that were not answered': attempts.filter(({ status }) => status === null).length,
    },
  };
}

async function saysFull({ logFolder }: Rig, names: readonly string[], text: string): Promise<number> {
  const logs = await Promise.all(names.map((name) => readFile(join(logFolder, `${name}.log`), 'utf8')));
  return logs.flatMap((log) => log.split('\n')).filter((line) => line.includes(text)).length;
}

function withoutEffect(subject: string): Finding {
  return {
    kind: 'without_effect',
    means: 'A fault that was made has not been felt',
    subject,
    expected: 'a disk that is full',
    found: 'nothing of that in its log',
  };
}
