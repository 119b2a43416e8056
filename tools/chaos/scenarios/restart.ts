import { setTimeout as delay } from 'node:timers/promises';
import { outcomeOf } from '../clients/http';
import type { CallRecord } from '../log';
import { randomOf } from '../random';
import type { Finding } from '../report';
import { WORKERS_IN_PAIRS } from '../rig/rig';
import { timedOutActivities, type TimedOut } from '../time-outs';
import { onRig, type Scenario } from './scenario';
import { underLoad } from './under-load';

const LEAST_RESTARTS = 20;
/** How long an API serves on that gets no new requests, as a pod does until all load balancers know of it. */
const OUT_OF_ROTATION_MS = 1_000;

/** Everything of which there is more than one is restarted in turn, as a deployment does, and nobody notices. */
export const restart: Scenario = {
  name: 'restart',
  about: 'APIs, workers and nodes of MongoDB are told to stop and started again in turn: no request may fail',
  async run(options) {
    const { seed, minutes, signal } = options;
    return onRig('restart', options, { workers: WORKERS_IN_PAIRS }, async (rig) => {
      const apis = new Map(rig.apis);
      const random = randomOf(seed, 'restart');
      // Temporal is one process here: without it nothing can be done.
      const names = [...rig.units.keys()].filter((name) => name !== 'temporal');
      return underLoad(rig, options, {
        apis,
        async disturb(tell) {
          const endAt = performance.now() + minutes * 60_000;
          let turn: string[] = [];
          for (let restarts = 0; restarts < LEAST_RESTARTS || performance.now() < endAt; restarts++) {
            signal.throwIfAborted();
            if (turn.length === 0) turn = random.shuffled(names);
            const name = turn.pop()!;
            const told = { text: `terminate ${name}, and start it again`, isMade: true };
            tell(told);
            apis.delete(name);
            if (rig.apis.has(name)) await delay(OUT_OF_ROTATION_MS, undefined, { signal });
            told.text += `: it ${await rig.units.get(name)!.end('SIGTERM')}`;
            await rig.units.get(name)!.start();
            await rig.ready();
            if (rig.apis.has(name)) apis.set(name, rig.apis.get(name)!);
          }
        },
        look: async (records) => ({
          findings: [...failedRequests(records), ...timeOuts(await timedOutActivities(rig))],
          figures: {},
        }),
      });
    });
  },
};

function failedRequests(records: readonly CallRecord[]): Finding[] {
  return records.flatMap(({ id, op, attempts }) =>
    attempts
      .filter(({ status }) => outcomeOf({ status }) === 'unknown')
      .map(({ sent, returned, process, status, code }) => ({
        kind: 'failed_request',
        means: 'A request has failed though only one process at a time was restarted',
        subject: id,
        expected: 'an answer of the operation itself',
        found: `${op} of ${process} at ${(sent / 1_000).toFixed(1)} s: ${status ?? 'no answer'} ${code ?? ''} after ${Math.round(returned - sent)} ms`,
      })),
  );
}

function timeOuts(timedOut: readonly TimedOut[]): Finding[] {
  return timedOut.map(({ workflowId, activity }) => ({
    kind: 'activity_timed_out',
    means: 'An activity was lost though each worker was told to stop',
    subject: workflowId,
    expected: 'no activity to time out',
    found: activity,
  }));
}
