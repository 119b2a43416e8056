import { createDeaths } from '../../../tools/chaos/rig/deaths';

const SAID = 'Error: async hook stack has become corrupted (actual: 5700, expected: 4)';
const HOW = 'ended with code 1';

describe('the deaths of processes', () => {
  it('tolerates a worker that was frozen in the middle of workflow code, and nothing like it', () => {
    const deaths = createDeaths();
    deaths.note({ name: 'worker-1', how: HOW, isAfterThaw: true });
    deaths.read('worker-1', SAID); // the last line may come late
    deaths.read('worker-2', SAID);
    deaths.note({ name: 'worker-2', how: HOW, isAfterThaw: false }); // nobody has frozen it
    deaths.note({ name: 'worker-3', how: HOW, isAfterThaw: true }); // it has died of something else
    expect(deaths.ofFreezes()).toBe(1);
    expect(deaths.faults()).toEqual([`worker-2 ${HOW}`, `worker-3 ${HOW}`]);
  });
});
