import { SetupError } from '../../tools/project';
import type { Output } from '../../tools/output';
import { cpuDuring } from '../harness/cpu';
import { goal } from '../harness/goals';
import { closedLoop, openLoop } from '../harness/load';
import type { Row } from '../harness/results';
import { cpuRowOf, inTurns, ratio, rowOf, type Contender, type Standing } from '../harness/rounds';
import { median, quantile, ratesOf } from '../harness/stats';
import { openSystem, type Storage, type System } from '../harness/system';
import { wayToPlace } from './calls';
import { livesOf } from './life';
import type { Scenario, ScenarioOptions } from './scenario';

const IN_FLIGHT = 20;
const PRODUCTS = 1_000;
const SHARE_OF_CAPACITY = 0.7;
const STEADY = { parts: 5, partSeconds: 60 };
const QUICK_STEADY = { parts: 2, partSeconds: 5 };

/** As the tables name them. */
const NAMES: Readonly<Record<Storage, string>> = {
  memory: 'memory',
  file: 'file',
  postgresql: 'PostgreSQL',
};

/** Places orders, one server for each way in which Temporal keeps its data. */
interface Shop {
  name: string;
  /** By what is done: the work, and the processes that do it. */
  ways: Readonly<Record<Way, { work: () => Promise<void>; pids: Readonly<Record<string, number>> }>>;
}
type Way = 'place' | 'whole life' | 'empty workflow';

/** Compares what it costs where Temporal keeps its data: in memory, in a file as `npm start` does, in PostgreSQL. */
export const storage: Scenario = async (system, options) => {
  const others = await openOthers(system.output);
  try {
    const shops = [await openShop(NAMES.file, system)];
    for (const [name, other] of others) shops.push(await openShop(name, other));
    return await compare(shops, options, system);
  } finally {
    for (const other of others.values()) await other.close();
  }
};

async function openOthers(output: Output): Promise<Map<string, System>> {
  const others = new Map([[NAMES.memory, await openSystem(output, 'memory')]]);
  try {
    others.set(NAMES.postgresql, await openSystem(output, 'postgresql'));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    output.line(`skipped  Temporal on PostgreSQL: ${error.message}`);
  }
  return others;
}

async function openShop(name: string, system: System): Promise<Shop> {
  const [api, variants] = [await system.startApi(), await system.startVariantsServer()];
  const [worker, variantsWorker] = [await system.startWorker(), await system.startVariantsWorker()];
  const products = await system.sell(PRODUCTS);
  const orders = `${api.url}/orders`;
  const ours = { ...system.serverPids(), worker: worker.pid!, api: api.process.pid! };
  const theirs = { ...system.serverPids(), worker: variantsWorker.pid!, api: variants.process.pid! };
  return {
    name,
    ways: {
      place: { work: wayToPlace(system, orders, products), pids: ours },
      'whole life': { work: livesOf(system, orders, products).live, pids: ours },
      'empty workflow': {
        work: wayToPlace(system, `${variants.url}/empty-workflow`, products),
        pids: theirs,
      },
    },
  };
}

async function compare(shops: readonly Shop[], { rounds, seconds }: ScenarioOptions, { output }: System) {
  const contenders = shops.flatMap(({ name, ways }) =>
    Object.entries(ways).map(([way, { work, pids }]): Contender => ({
      name: `${way}, ${name}`,
      round: () => closedLoop(work, { inFlight: IN_FLIGHT, seconds }),
      pids,
    })),
  );
  const standings = await inTurns(contenders, { rounds, output });
  const placing = (name: string) => standings.get(`place, ${name}`)!;
  const slowest = Math.min(...shops.map(({ name }) => median(placing(name).rates)));
  const steadily = Math.floor(slowest * SHARE_OF_CAPACITY);
  const steadyRows: Row[] = [];
  for (const shop of shops) steadyRows.push(await steadyRow(shop, steadily, rounds > 1, output));
  const sorted = [...standings.values()].sort((a, b) => a.name.localeCompare(b.name));
  return {
    scenario: 'storage',
    tables: [
      {
        title: `By where Temporal keeps its data, ${IN_FLIGHT} in flight`,
        method:
          "The development server in memory, and with its file as `npm start` has it; and a server of Temporal's own on " +
          "PostgreSQL, with the server's default settings, 4 history shards and all services in one process. Closed loop over " +
          `HTTP, 1 to 5 lines of ${PRODUCTS} products; ${rounds} rounds of ${seconds} s each, in turns.`,
        rows: sorted.map(rowOf),
        plot: { column: 'per second' },
      },
      {
        title: 'Processor time, ms',
        method:
          'User and system time of each process (/proc) in these rounds and a second after each, by the number of orders or ' +
          'workflows; the median of the rounds. The development server has its database in its own process.',
        rows: sorted.map(cpuOf),
      },
      {
        title: `Steadily ${steadily} orders/s`,
        method:
          `Open loop, ${SHARE_OF_CAPACITY * 100} % of what the slowest can do, one after the other. Processor time in ms per ` +
          'order.',
        rows: steadyRows,
      },
    ],
    goals: [
      goal(
        'orders/s of the development server with its file by that in memory',
        ratio(placing(NAMES.file), placing(NAMES.memory)),
        { atLeast: 0.95 },
      ),
    ],
  };
}

async function steadyRow(shop: Shop, perSecond: number, isLong: boolean, output: Output): Promise<Row> {
  const { parts, partSeconds } = isLong ? STEADY : QUICK_STEADY;
  const { work, pids } = shop.ways.place;
  output.line(`${perSecond} orders/s, ${shop.name}`);
  const { result, cpu } = await cpuDuring(pids, () =>
    openLoop(work, { perSecond, seconds: parts * partSeconds }),
  );
  const rates = ratesOf(result.doneAt, parts, partSeconds);
  const { latencies, sent } = result;
  const perOrder = Object.entries(cpu).map(([process, ms]): [string, number[]] => [process, [ms / sent]]);
  return {
    name: shop.name,
    values: {
      orders: sent,
      'slowest part, per second': Math.min(...rates),
      'p50 ms': quantile(latencies, 0.5),
      'p99 ms': quantile(latencies, 0.99),
      ...cpuOf({ name: shop.name, rates, latencies, cpu: Object.fromEntries(perOrder) }).values,
    },
    rates,
  };
}

/** Returns the processor time of each process, with a column for PostgreSQL where there is none. */
function cpuOf(standing: Standing): Row {
  const { values, ...row } = cpuRowOf(standing);
  const { temporal, postgresql = 0, worker, api, mongodb } = values;
  return {
    ...row,
    values: { temporal: temporal!, postgresql, worker: worker!, api: api!, mongodb: mongodb! },
  };
}
