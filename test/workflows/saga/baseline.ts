import { SCENARIOS, type Scenario } from './scenarios';
import { beginSaga, outcomeOf, type Rest, type FaultyShop } from './saga';

/** What one move does if nothing goes wrong. */
export interface Stage {
  /** The steps that the move has added. */
  steps: string[];
  outcome: string;
  rest: Rest;
}

export interface Baseline {
  scenario: Scenario;
  stages: Stage[];
}

/** Runs each scenario without faults and returns its steps. */
export function recordBaselines(faulty: FaultyShop): Promise<Baseline[]> {
  return Promise.all(SCENARIOS.map((scenario) => baselineOf(faulty, scenario)));
}

/** Steps that an order has only when something goes wrong. */
export const EXCEPTIONAL: readonly string[] = [
  'openOrder',
  'resumeOrder',
  'resolveCompensation',
  'markOverdue',
  'giveUpPayment',
];

/** On a slow machine, placing may run out of its time and take other steps instead: then another order is tried. */
async function baselineOf(faulty: FaultyShop, scenario: Scenario): Promise<Baseline> {
  const saga = await beginSaga(faulty, scenario);
  const stages: Stage[] = [];
  for (const move of scenario.moves.keys()) {
    const known = faulty.injector.stepsOf(saga.orderId).length;
    const outcome = outcomeOf(await saga.make(move));
    const rest = await saga.rest();
    stages.push({ steps: faulty.injector.stepsOf(saga.orderId).slice(known), outcome, rest });
  }
  await saga.end();
  if (stages.some(({ steps }) => steps.some((step) => EXCEPTIONAL.includes(step)))) {
    return baselineOf(faulty, scenario);
  }
  await saga.record(scenario.name.replaceAll(/\W+/g, '-'));
  return { scenario, stages };
}

/** A step of a scenario. */
export interface Place {
  baseline: Baseline;
  /** The move that it is part of. */
  move: number;
  step: string;
  /** The number of the step within the move, from 0. */
  position: number;
}

/**
 * Returns every step of every scenario. Moves that several scenarios begin with are taken from the first one.
 */
export function placesOf(baselines: readonly Baseline[]): Place[] {
  const beginnings = new Set<string>();
  return baselines.flatMap((baseline) =>
    baseline.stages.flatMap(({ steps }, move) => {
      const { request, authorizing, inlinePayments, moves } = baseline.scenario;
      const beginning = JSON.stringify([request, authorizing, inlinePayments, moves.slice(0, move + 1)]);
      if (beginnings.has(beginning)) return [];
      beginnings.add(beginning);
      return steps.map((step, position) => ({ baseline, move, step, position }));
    }),
  );
}

export function titleOf({ baseline, move, step }: Place): string {
  return `an order that is ${baseline.scenario.name}: ${step} of "${baseline.scenario.moves[move]!.name}"`;
}
