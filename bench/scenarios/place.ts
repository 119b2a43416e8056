import { closedLoop, openLoop } from '../harness/load';
import { goal, type Goal } from '../harness/goals';
import type { Table } from '../harness/results';
import { contendersOf, cpuRowOf, inTurns, ratio, ratioOf, rowOf, type Standing } from '../harness/rounds';
import { median, quantile } from '../harness/stats';
import type { System } from '../harness/system';
import { VARIANTS, type Variant } from '../variants/contract';
import { wayToPlace } from './calls';
import type { Scenario, ScenarioOptions } from './scenario';

const IN_FLIGHT = [1, 20, 100];
const COMPARED_AT = 20;
const ALONE = 1;
const PRODUCTS = 1_000;
/** A p99 of fewer requests says little. */
const LATENCIES = 2_000;

const WITHOUT_WORKFLOW: readonly Variant[] = ['empty-route', 'no-durability'];

/** Sends one request that places an order in one of the ways. */
type Way = () => Promise<void>;

/**
 * Compares `POST /orders` with its lower bounds on the same servers, and with the usual way of writing it.
 */
export const place: Scenario = async (system, options) => {
  const [api, variants] = [await system.startApi(), await system.startVariantsServer()];
  const [worker, variantsWorker] = [await system.startWorker(), await system.startVariantsWorker()];
  const products = await system.sell(PRODUCTS);
  const freeProducts = await system.sell(PRODUCTS, 0);
  const ways: Record<Variant | 'place' | 'place-free', Way> = {
    ...(Object.fromEntries(
      VARIANTS.map((variant) => [variant, wayToPlace(system, `${variants.url}/${variant}`, products)]),
    ) as Record<Variant, Way>),
    place: wayToPlace(system, `${api.url}/orders`, products),
    'place-free': wayToPlace(system, `${api.url}/orders`, freeProducts), // nothing to pay, so no payment step
  };

  const pids = {
    ...system.serverPids(),
    api: api.process.pid!,
    worker: worker.pid!,
    'variants server': variants.process.pid!,
    'variants worker': variantsWorker.pid!,
    client: process.pid,
  };
  const tables: Table[] = [];
  let [alone, compared] = [new Map<string, Standing>(), new Map<string, Standing>()];
  for (const inFlight of IN_FLIGHT) {
    system.output.line(`placing, ${inFlight} in flight`);
    const contenders = contendersOf(ways, (way) => closedLoop(way, { inFlight, seconds: options.seconds }));
    const standings = await inTurns(contenders, { ...options, output: system.output, pids });
    if (inFlight === ALONE) alone = standings;
    if (inFlight === COMPARED_AT) compared = standings;
    tables.push({
      title: `Placing an order, ${inFlight} in flight`,
      method:
        `Closed loop over HTTP, signed in, 1 to 5 lines of ${PRODUCTS} products, distinct keys ` +
        '(the names are explained in bench/README.md); ' +
        `${options.rounds} rounds of ${options.seconds} s each, in turns.`,
      rows: [...standings.values()].map(rowOf),
      plot: { column: 'per second', without: WITHOUT_WORKFLOW },
    });
  }
  tables.push({
    title: 'Processor time per request, ms',
    method:
      `User and system time of each process (/proc) in the rounds with ${COMPARED_AT} in flight and a second after ` +
      'each, by the number of requests; the median of the rounds.',
    rows: [...compared.values()].map(cpuRowOf),
  });
  const latency = await latencyTable(ways, compared, options, system);
  tables.push(latency.table);
  return {
    scenario: 'place',
    tables,
    goals: [...rateGoals(compared), ...cpuGoals(compared), ...latencyGoals(alone), ...latency.goals],
  };
};

function rateGoals(standings: Map<string, Standing>): Goal[] {
  const of = (name: string, other: string) => ratio(standings.get(name)!, standings.get(other)!);
  return [
    goal('placed orders/s, 20 in flight, by empty workflows/s', of('place', 'empty-workflow'), {
      atLeast: 0.65,
    }),
    goal('the same by the usual way', of('place', 'usual'), { atLeast: 2.5 }),
    goal('without the payment step, by empty workflows/s', of('place-free', 'empty-workflow'), {
      atLeast: 0.75,
    }),
  ];
}

function cpuGoals(standings: Map<string, Standing>): Goal[] {
  const of = (name: string, process: string) => standings.get(name)!.cpu[process]!;
  const byEmpty = (ours: string, theirs: string) => ratioOf(of('place', ours), of('empty-workflow', theirs));
  const floor = of('empty-update', 'variants server');
  const beyond = median(of('place', 'api').map((ms, round) => ms - floor[round]!));
  return [
    goal('CPU of the worker by an empty workflow', byEmpty('worker', 'variants worker'), { atMost: 3 }),
    goal('CPU of Temporal by an empty workflow', byEmpty('temporal', 'temporal'), { atMost: 1.2 }),
    goal('CPU of the API beyond an empty Update-with-Start, ms', beyond, { atMost: 3 }),
  ];
}

function latencyGoals(standings: Map<string, Standing>): Goal[] {
  return [0.5, 0.99].map((q) => {
    const of = (name: string) => quantile(standings.get(name)!.latencies, q);
    const what = `p${100 * q} of POST, one in flight, by that of an empty Update-with-Start`;
    return goal(what, of('place') / of('empty-update'), { atMost: 2.5 });
  });
}

/** Latencies at the same fixed rate, half of what placing can do at most. */
async function latencyTable(
  { place: placing, 'empty-update': empty }: Record<string, Way>,
  compared: Map<string, Standing>,
  { seconds: quick, rounds }: ScenarioOptions,
  { output }: System,
): Promise<{ table: Table; goals: Goal[] }> {
  const perSecond = Math.floor(median(compared.get('place')!.rates) / 2);
  const seconds = rounds > 1 ? Math.ceil(LATENCIES / rounds / perSecond) : quick;
  output.line(`latencies at ${perSecond}/s`);
  const ways = { place: placing!, 'empty-update': empty! };
  const contenders = contendersOf(ways, (way) => openLoop(way, { perSecond, seconds }));
  const standings = await inTurns(contenders, { rounds, output });
  const p99 = (name: string) => quantile(standings.get(name)!.latencies, 0.99);
  return {
    table: {
      title: `Latency at ${perSecond} requests/s, half of capacity`,
      method:
        'Open loop: a latency counts from when the request was due, so that a stall counts for all that wait.',
      rows: [...standings.values()].map(rowOf),
      plot: { column: 'p99 ms' },
    },
    goals: [
      goal(
        'p99 of POST at half of capacity by that of an empty Update-with-Start',
        p99('place') / p99('empty-update'),
        {
          atMost: 2.5,
        },
      ),
    ],
  };
}
