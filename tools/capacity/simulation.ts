import { createAgenda } from './agenda';
import { exponential, randomFrom } from './random';
import { createStation, every, type StationRules, type StationState, type StationTotals } from './station';

/** Orders arrive as a Poisson process of this rate until then. */
export interface Phase {
  untilSeconds: number;
  ordersPerSecond: number;
}

/** One step of an order: where, and how long it takes on average; exponentially distributed. */
export interface Visit {
  station: number;
  meanSeconds: number;
}

export interface Scenario {
  seed: number;
  /** One after the other; the last one ends the run. */
  phases: readonly Phase[];
  stations: readonly StationRules[];
  /** What each order goes through. */
  route: readonly Visit[];
  /** How often the state is noted. */
  sampleSeconds: number;
}

export interface Sample {
  /** Seconds. */
  at: number;
  placed: number;
  finished: number;
  stations: StationState[];
}

/** When the order was placed, and how long that took, seconds. */
export interface Response {
  placedAt: number;
  seconds: number;
}

export interface Run {
  samples: Sample[];
  placed: number;
  finished: number;
  /** Of each finished order. */
  responses: Response[];
  stations: StationTotals[];
}

/** The same run for the same scenario. */
export function simulate({ seed, phases, stations: rules, route, sampleSeconds }: Scenario): Run {
  const agenda = createAgenda();
  const random = randomFrom(seed);
  const stations = rules.map((one) => createStation(one, agenda, random));
  const responses: Run['responses'] = [];
  const samples: Sample[] = [];
  let placed = 0;

  function advance(placedAt: number, step: number): void {
    const visit = route[step];
    if (!visit) responses.push({ placedAt, seconds: agenda.now() - placedAt });
    else {
      const done = () => advance(placedAt, step + 1);
      stations[visit.station]!.submit({ meanSeconds: visit.meanSeconds, done });
    }
  }

  function arrive(phase: Phase): void {
    const seconds = exponential(random, 1 / phase.ordersPerSecond);
    if (agenda.now() + seconds > phase.untilSeconds) return; // memoryless: the next phase begins anew
    agenda.in(seconds, () => {
      placed++;
      advance(agenda.now(), 0);
      arrive(phase);
    });
  }

  const note = () => {
    const states = stations.map((station) => station.state());
    samples.push({ at: agenda.now(), placed, finished: responses.length, stations: states });
  };
  note();
  every(agenda, sampleSeconds, note);
  for (const phase of phases) {
    if (phase.ordersPerSecond > 0) arrive(phase);
    agenda.runUntil(phase.untilSeconds);
  }
  const totals = stations.map((station) => station.totals());
  return { samples, placed, finished: responses.length, responses, stations: totals };
}
