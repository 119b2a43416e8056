import { LIVES, type Life } from './lives';
import { beginSaga, wordOf, type Rest, type SpoiledShop } from './saga';

/** What one move brought about when nothing went wrong. */
export interface Stage {
  /** The steps that were new. */
  steps: string[];
  answer: string;
  rest: Rest;
}

export interface Chart {
  life: Life;
  stages: Stage[];
}

/** Lives every life without faults, and writes down the steps that it consists of. */
export function drawCharts(spoiled: SpoiledShop): Promise<Chart[]> {
  return Promise.all(LIVES.map((life) => chartOf(spoiled, life)));
}

async function chartOf(spoiled: SpoiledShop, life: Life): Promise<Chart> {
  const saga = await beginSaga(spoiled, life);
  const stages: Stage[] = [];
  for (const move of life.moves.keys()) {
    const known = spoiled.saboteur.stepsOf(saga.orderId).length;
    const answer = wordOf(await saga.make(move));
    const rest = await saga.rest();
    stages.push({ steps: spoiled.saboteur.stepsOf(saga.orderId).slice(known), answer, rest });
  }
  await saga.end();
  await saga.record(life.name.replaceAll(/\W+/g, '-'));
  return { life, stages };
}

/** Where a step is in a life. */
export interface Place {
  chart: Chart;
  /** The move that it is part of. */
  move: number;
  step: string;
  /** Counts the steps of the move from 0. */
  position: number;
}

/** Every step of every life. What several lives begin with is taken from the first of them. */
export function placesOf(charts: readonly Chart[]): Place[] {
  const beginnings = new Set<string>();
  return charts.flatMap((chart) =>
    chart.stages.flatMap(({ steps }, move) => {
      const { request, authorizing, moves } = chart.life;
      const beginning = JSON.stringify([request, authorizing, moves.slice(0, move + 1)]);
      if (beginnings.has(beginning)) return [];
      beginnings.add(beginning);
      return steps.map((step, position) => ({ chart, move, step, position }));
    }),
  );
}

export function titleOf({ chart, move, step }: Place): string {
  return `an order that is ${chart.life.name}: ${step} of "${chart.life.moves[move]!.name}"`;
}
