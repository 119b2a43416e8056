import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePorts } from '../../tools/devstack/ports';
import { goal } from '../harness/goals';
import { closedLoop } from '../harness/load';
import { cpuRowOf, inTurns, ratio, ratioOf, rowOf, type Contender, type Standing } from '../harness/rounds';
import { openSystem, type System } from '../harness/system';
import { wayToPlace } from './calls';
import type { Scenario } from './scenario';

const IN_FLIGHT = 20;
const PRODUCTS = 1_000;
/** As deploy/observability/prometheus has it scraped. */
const SCRAPE_MS = 15_000;

/** In rounds of the usual length, a difference of a few hundredths drowns in what the machine does besides. */
const LONGER = 2;

/** Compares what placing costs with traces and metrics to what it costs without, each with servers of its own. */
export const telemetry: Scenario = async (system, options) => {
  const other = await openSystem(system.output);
  const collector = await startCollector();
  const [apiPort, workerPort] = await freePorts(2);
  const ports = [apiPort!, workerPort!];
  const scraping = scrapeRegularly(ports);
  try {
    const off = await contenderOf('off', system);
    const on = await contenderOf('on', other, {
      traces: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      ports,
    });
    const contenders = [off, on].map(({ name, work, pids }): Contender => ({
      name,
      pids,
      round: () => closedLoop(work, { inFlight: IN_FLIGHT, seconds: LONGER * options.seconds }),
    }));
    const standings = await inTurns(contenders, { ...options, output: system.output });
    const of = (name: string) => standings.get(name)!;
    return {
      scenario: 'telemetry',
      tables: [
        {
          title: `Placing an order, ${IN_FLIGHT} in flight`,
          method:
            'On: every trace is sampled and sent to a collector that only receives it, and both processes are scraped ' +
            `every ${SCRAPE_MS / 1_000} s. Off: neither. Each has its own servers and processes, and they take turns; ` +
            `${collector.received()} batches of spans came, ${scraping.scrapes()} scrapes were answered.`,
          rows: [rowOf(of('off')), rowOf(of('on'))],
          plot: { column: 'per second' },
        },
        {
          title: 'Processor time per order, ms',
          method: 'User and system time of each process (/proc) in the rounds and a second after each.',
          rows: [cpuRowOf(of('off')), cpuRowOf(of('on'))],
        },
      ],
      goals: [
        goal('CPU of all processes per order, with everything on by off', cpuRatio(of('on'), of('off')), {
          atMost: 1.05,
        }),
        goal('orders/s with everything on by off', ratio(of('on'), of('off')), { atLeast: 0.95 }),
      ],
    };
  } finally {
    scraping.stop();
    await other.close();
    collector.close();
  }
};

interface Telemetry {
  traces: NodeJS.ProcessEnv;
  /** Of the metrics of the API and of the worker. */
  ports: readonly number[];
}

async function contenderOf(name: string, system: System, telemetry?: Telemetry) {
  const [ofApi, ofWorker] = [0, 1].map((n) =>
    telemetry ? { ...telemetry.traces, METRICS_PORT: String(telemetry.ports[n]) } : {},
  );
  const api = await system.startApi(ofApi);
  const worker = await system.startWorker(ofWorker);
  const products = await system.sell(PRODUCTS);
  return {
    name,
    work: wayToPlace(system, `${api.url}/orders`, products),
    pids: { ...system.serverPids(), api: api.process.pid!, worker: worker.pid! },
  };
}

/** Returns the median ratio of the processor time that all processes took together. */
function cpuRatio(one: Standing, other: Standing): number {
  return ratioOf(sums(one), sums(other));
}

function sums({ rates, cpu }: Standing): number[] {
  return rates.map((_rate, round) => Object.values(cpu).reduce((sum, rounds) => sum + rounds[round]!, 0));
}

/** Starts a collector of traces that accepts everything and keeps nothing. */
async function startCollector() {
  let received = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      received++;
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received: () => received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function scrapeRegularly(ports: readonly number[]) {
  let scrapes = 0;
  const scrape = async (port: number) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
    await response?.text();
    if (response?.ok) scrapes++;
  };
  const timer = setInterval(() => ports.forEach((port) => void scrape(port)), SCRAPE_MS);
  return { scrapes: () => scrapes, stop: () => clearInterval(timer) };
}
