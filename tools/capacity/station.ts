import type { Agenda } from './agenda';
import { decide, type Decision, type Load, type ScalingRules } from './autoscaler';
import { exponential, uniform, type Random } from './random';

/** Workers of one kind and their task queue: first in, first out, whichever replica is free. */
export interface StationRules {
  name: string;
  /** Tasks that one replica works on at a time: cores where it computes, slots where it waits for others. */
  parallelism: number;
  /** Tasks that one replica takes from the queue at most; those that it does not work on yet are in no backlog. */
  slots: number;
  replicas: number;
  /** None: the number of replicas stays. */
  scaling: ScalingRules | null;
}

export interface Task {
  meanSeconds: number;
  done: () => void;
}

export interface StationState {
  /** Tasks that nobody works on. */
  waiting: number;
  busy: number;
  /** Replicas that poll. */
  ready: number;
  /** Replicas that are asked for. */
  wanted: number;
}

export interface StationTotals {
  started: number;
  longestWaitSeconds: number;
  meanWaitSeconds: number;
}

export function createStation(rules: StationRules, agenda: Agenda, random: Random) {
  const { parallelism, slots, scaling } = rules;
  const waiting = createFifo<Task & { since: number }>();
  let [busy, ready, wanted] = [0, rules.replicas, rules.replicas];
  let [started, longest, total] = [0, 0, 0];

  function begin(): void {
    while (busy < ready * parallelism && waiting.length() > 0) {
      const { since, meanSeconds, done } = waiting.shift();
      const wait = agenda.now() - since;
      if (wait > longest) longest = wait;
      total += wait;
      started++;
      busy++;
      agenda.in(exponential(random, meanSeconds), () => {
        busy--;
        done();
        begin();
      });
    }
  }

  /** Temporal reports no backlog of what the replicas have taken already. */
  function load(): Load {
    const backlog = Math.max(0, waiting.length() - ready * (slots - parallelism));
    return { backlog, busyReplicas: busy / parallelism };
  }

  /** New replicas come when they have started; those too many end when they have done what they have. */
  function scaleTo(replicas: number, podStartSeconds: readonly [number, number]): void {
    const more = replicas - wanted;
    wanted = replicas;
    ready = Math.min(ready, wanted);
    for (let n = 0; n < more; n++) {
      agenda.in(uniform(random, podStartSeconds), () => {
        if (ready < wanted) ready++; // unless it was called off
        begin();
      });
    }
  }

  if (scaling) startScaling(scaling, agenda, { load, wanted: () => wanted, scaleTo });
  return {
    name: rules.name,
    submit(task: Task): void {
      waiting.push({ ...task, since: agenda.now() });
      begin();
    },
    state: (): StationState => ({ waiting: waiting.length(), busy, ready, wanted }),
    totals: (): StationTotals => ({
      started,
      longestWaitSeconds: longest,
      meanWaitSeconds: started === 0 ? 0 : total / started,
    }),
  };
}

interface Scalable {
  load(): Load;
  wanted(): number;
  scaleTo(replicas: number, podStartSeconds: readonly [number, number]): void;
}

function startScaling(rules: ScalingRules, agenda: Agenda, workers: Scalable): void {
  let known: Load = { backlog: 0, busyReplicas: 0 };
  let past: Decision[] = [];
  every(agenda, rules.pollingSeconds, () => (known = workers.load()));
  every(agenda, rules.syncSeconds, () => {
    const decision = decide(rules, agenda.now(), known, workers.wanted(), past);
    const memory = Math.max(rules.scaleDownStabilisationSeconds, rules.scaleUpStabilisationSeconds, 60);
    past = [...past.filter(({ at }) => at > decision.at - memory), decision];
    workers.scaleTo(decision.replicas, rules.podStartSeconds);
  });
}

export function every(agenda: Agenda, seconds: number, act: () => void): void {
  agenda.in(seconds, () => {
    act();
    every(agenda, seconds, act);
  });
}

/** An array's `shift` would move all the others. */
function createFifo<T>() {
  let items: T[] = [];
  let first = 0;
  return {
    length: () => items.length - first,
    push: (item: T) => void items.push(item),
    shift(): T {
      const item = items[first++]!;
      if (first > 1_000 && 2 * first > items.length) {
        items = items.slice(first);
        first = 0;
      }
      return item;
    },
  };
}
