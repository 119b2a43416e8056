import { inject } from '../inject';
import { WORKERS_IN_PAIRS } from '../rig/rig';
import { scheduleOf } from '../schedule';
import { onRig, type Scenario } from './scenario';
import { showSchedule, underLoad } from './under-load';

/** Faults of all kinds by chance, while clients make their calls. */
export const random: Scenario = {
  name: 'random',
  about: 'faults of processes, nodes and links by chance, while clients place and change orders',
  async run(options) {
    const { seed, minutes, signal } = options;
    return onRig('random', options, { workers: WORKERS_IN_PAIRS }, async (rig) => {
      const schedule = scheduleOf(seed, 'random', minutes * 60_000);
      showSchedule(schedule, options);
      return underLoad(rig, options, {
        disturb: (tell) => inject(rig, schedule, signal, tell),
      });
    });
  },
};
