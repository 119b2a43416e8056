import { inject } from '../inject';
import { notProven } from '../proof';
import { WORKERS_IN_PAIRS } from '../rig/rig';
import { freezesOf } from '../schedule';
import { barsOfTimeOuts, timedOutActivities } from '../time-outs';
import { onRig, type Scenario } from './scenario';
import { showSchedule, underLoad } from './under-load';

/** Of the activities that change orders, and of those that change payments. */
const QUEUES = ['orders', 'payments'];

/** Workers are suspended until what they do has timed out and was done by others, and then continue where they were. */
export const freeze: Scenario = {
  name: 'freeze',
  about: 'a worker is frozen past its time-outs while another one works, and then continued',
  async run(options) {
    const { seed, minutes, signal } = options;
    return onRig('freeze', options, { workers: WORKERS_IN_PAIRS }, async (rig) => {
      const schedule = freezesOf(seed, minutes * 60_000);
      showSchedule(schedule, options);
      return underLoad(rig, options, {
        disturb: (tell) => inject(rig, schedule, signal, tell),
        async look() {
          const bars = barsOfTimeOuts(await timedOutActivities(rig), QUEUES);
          return {
            findings: notProven(bars),
            figures: Object.fromEntries(bars.map(({ what, found }) => [what, found])),
          };
        },
      });
    });
  },
};
