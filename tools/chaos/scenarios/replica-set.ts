import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from '../inject';
import { startRig, type Rig } from '../rig/rig';
import { primaryFaultsOf } from '../schedule';
import type { Scenario } from './scenario';
import { showSchedule, underLoad } from './under-load';

const HEALTHY_MS = 2_000;

/** The primary is lost in every way that there is, and what it has not shared with another node is rolled back. */
export const replicaSet: Scenario = {
  name: 'replica-set',
  about: 'the primary is killed, stepped down, frozen, and cut off together with some of its clients',
  async run(options) {
    const { seed, minutes, output, signal } = options;
    const rig = await startRig({ output, signal });
    try {
      const schedule = primaryFaultsOf(seed, minutes * 60_000);
      showSchedule(schedule, options);
      return await underLoad(rig, options, {
        async disturb(tell) {
          const start = performance.now();
          for (const fault of schedule) {
            // A node that was down has to be back, or there is no majority without the next one.
            await rig.replicaSet.inSync();
            const atMs = Math.max(HEALTHY_MS, fault.atMs - (performance.now() - start));
            await inject(rig, [{ ...fault, atMs }], signal, ({ text }) => tell(text));
          }
        },
        look: async () => ({ figures: await historyOf(rig) }),
      });
    } finally {
      await rig.stop();
    }
  },
};

/** What the nodes say that they went through, without which the run would prove nothing. */
async function historyOf({ replicaSet: { nodes }, logFolder }: Rig): Promise<Record<string, number>> {
  const logs = await Promise.all(nodes.map(({ name }) => readFile(join(logFolder, `${name}.log`), 'utf8')));
  const lines = logs.flatMap((log) => log.split('\n'));
  const count = (text: string): number => lines.filter((line) => line.includes(text)).length;
  return {
    'elections won': count('"msg":"Election succeeded, assuming primary role"'),
    'rollbacks of writes that most nodes never had': count('"newState":"ROLLBACK","oldState":"SECONDARY"'),
  };
}
