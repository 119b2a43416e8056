import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from '../inject';
import { notProven } from '../proof';
import type { Rig } from '../rig/rig';
import { primaryFaultsOf } from '../schedule';
import { onRig, type Scenario } from './scenario';
import { showSchedule, underLoad } from './under-load';

const HEALTHY_MS = 2_000;
const ELECTIONS = 'elections won';
const ROLLBACKS = 'rollbacks of writes that most nodes never had';

/** The primary is lost in every way that there is, and what it has not shared with another node is rolled back. */
export const replicaSet: Scenario = {
  name: 'replica-set',
  about: 'the primary is killed, stepped down, frozen, and cut off together with some of its clients',
  async run(options) {
    const { seed, minutes, signal } = options;
    return onRig('replica-set', options, {}, async (rig) => {
      const schedule = primaryFaultsOf(seed, minutes * 60_000);
      showSchedule(schedule, options);
      return underLoad(rig, options, {
        async disturb(tell) {
          const start = performance.now();
          for (const fault of schedule) {
            // A node that was down has to be back, or there is no majority without the next one.
            await rig.replicaSet.inSync();
            const atMs = Math.max(HEALTHY_MS, fault.atMs - (performance.now() - start));
            await inject(rig, [{ ...fault, atMs }], signal, tell);
          }
        },
        async look() {
          const figures = await historyOf(rig);
          const isCutOff = schedule.some(({ kind }) => kind === 'isolate');
          const bar = { what: ROLLBACKS, atLeast: isCutOff ? 1 : 0, found: figures[ROLLBACKS]! };
          return { figures, findings: notProven([bar]) };
        },
      });
    });
  },
};

/** What the nodes say that they went through, without which the run would prove nothing. */
async function historyOf({ replicaSet: { nodes }, logFolder }: Rig): Promise<Record<string, number>> {
  const logs = await Promise.all(nodes.map(({ name }) => readFile(join(logFolder, `${name}.log`), 'utf8')));
  const lines = logs.flatMap((log) => log.split('\n'));
  const count = (text: string): number => lines.filter((line) => line.includes(text)).length;
  return {
    [ELECTIONS]: count('"msg":"Election succeeded, assuming primary role"'),
    [ROLLBACKS]: count('"newState":"ROLLBACK","oldState":"SECONDARY"'),
  };
}
