import { setTimeout as delay } from 'node:timers/promises';
import { createCaller } from '../clients/caller';
import { openShop, stockUp, type Shop } from '../clients/shop';
import { judge } from '../judge';
import { measureLag } from '../lag';
import { openCallLog, readCallLog, type CallLog } from '../log';
import { randomOf } from '../random';
import { barOfStocking, notProven } from '../proof';
import { callsOf, messagesOf, type Finding, type Run } from '../report';
import { APIS, WORKERS, type Rig } from '../rig/rig';
import { settle, type Settlement } from '../settle';
import { live, openBooks, type Book, type Life } from './life';
import { onRig, type Scenario, type ScenarioOptions } from './scenario';

/** A reply on the wire, by what is asked and which one it is of its kind in the life of an order. */
interface Point {
  /** For example `worker to mongodb: commitTransaction`. */
  kind: string;
  nth: number;
}

/** Replies that come whether anybody orders or not. */
const BACKGROUND =
  /^(hello|ping|endSessions|killCursors|getMore|sasl\w+|(RecordActivityTask|RecordWorker)Heartbeat|Check|GetSystemInfo|DescribeNamespace|DescribeTaskQueue|ShutdownWorker|request|reply)\b/;
const SETTLED_MS = 120_000;
/** How long a call is repeated. */
const CALL_MS = 90_000;
const UNITS = 1_000_000;

/** Each reply in the life of an order is lost once, on the wire. */
export const swallow: Scenario = {
  name: 'swallow',
  about: 'each reply of MongoDB and Temporal in the life of an order is lost, and its connection with it',
  run: (options) => onRig('swallow', options, {}, (rig) => loseEach(rig, options)),
};

async function loseEach(rig: Rig, options: ScenarioOptions): Promise<Run> {
  const { seed, minutes, output, progress, signal } = options;
  const endAt = performance.now() + minutes * 60_000;
  const lag = measureLag();
  const logFile = `${rig.folder}/calls.jsonl`;
  const log = openCallLog(logFile);
  const badAnswers: string[] = [];
  const onFault = (fault: string): void => void badAnswers.push(fault);
  const shop = await openShop(rig);
  const units = shop.products.map(() => UNITS);
  await stockUp(shop, units, { apis: rig.apis, log, onFault, signal });
  const books = await openBooks(rig);
  const trial = createTrial({ rig, shop, log, onFault, signal });

  // What only the first orders need is not counted.
  for (let warmUp = 0; warmUp < 2; warmUp++) await trial(undefined);
  await books.turn(undefined);
  const begunAt = log.now();
  const undisturbed = await trial(undefined);
  const expected = await books.turn(undisturbed.orderId);
  const idle = await countReplies(rig, log.now() - begunAt);
  const kinds = [...undisturbed.seen].filter(([kind, count]) => count > (idle.get(kind) ?? 0));
  const points = randomised(kinds, seed);
  output.line(`${points.length} replies in the life of an order; ${JSON.stringify(expected)}`);

  const findings: Finding[] = [];
  const faults: Run['faults'] = [];
  const lost = new Map<string, number>();
  let slowestS = 0;
  let missed = 0;
  let tried = 0;
  try {
    for (const point of points) {
      signal.throwIfAborted();
      if (performance.now() > endAt) break;
      progress.show(tried / points.length, `${point.kind}, ${point.nth}`);
      const atS = log.now() / 1_000;
      const life = await trial(point);
      tried++;
      const book = await books.turn(life.orderId);
      slowestS = Math.max(slowestS, life.settlement.seconds);
      findings.push(...wrongWith(point, life, book, expected));
      if (!life.isLost) {
        missed++; // this life had fewer of them
        continue;
      }
      faults.push({ atS, text: `swallow reply ${point.nth} of ${point.kind}` });
      lost.set(point.kind, (lost.get(point.kind) ?? 0) + 1);
    }
  } finally {
    progress.end();
    await books.close();
  }
  await rig.heal();
  await log.close();
  const records = await readCallLog(logFile);
  const settlement: Settlement = { seconds: slowestS, unsettled: [], limitS: SETTLED_MS / 1_000 };
  const ofCommits = [...lost].filter(([kind]) => kind.endsWith('commitTransaction'));
  findings.push(
    ...notProven([
      barOfStocking(records, shop.products.length),
      { what: 'replies of commits that are lost', atLeast: 1, found: ofCommits.length },
      { what: 'lives in which a reply is lost', atLeast: Math.ceil(tried / 2), found: faults.length },
    ]),
  );
  findings.push(...(await judge(rig, { log: records, settlement, badAnswers })));
  const replies = Object.fromEntries(
    kinds
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([kind, count]) => [kind, `${lost.get(kind) ?? 0} of ${count} swallowed`]),
  );
  return {
    seed,
    minutes,
    faults,
    calls: callsOf(records),
    messages: messagesOf(rig.network),
    settledS: slowestS,
    findings,
    figures: {
      'replies in a life': points.length,
      'lives tried': tried,
      'not met again': missed,
      ...lag(),
      ...replies,
    },
  };
}

interface Trial extends Life {
  settlement: Settlement;
  /** The replies that were counted, by kind. */
  seen: Map<string, number>;
  /** Whether the reply came, and was swallowed. */
  isLost: boolean;
}

/** Shows every reply that the processes of ours get to the trap, by its kind. Returns a function that ends this. */
function watchReplies({ network, replicaSet }: Rig, trap: (kind: string) => boolean): () => void {
  const servers = [...replicaSet.nodes.map(({ name }) => name), 'temporal'];
  const removers = [...APIS, ...Object.keys(WORKERS)].flatMap((from) =>
    servers.map((to) =>
      network.link(from, to).set((direction, label) => {
        if (direction !== 'reply' || BACKGROUND.test(label)) return false;
        return trap(`${from.split('-')[0]} to ${to.split('-')[0]}: ${label}`);
      }),
    ),
  );
  return () => removers.forEach((remove) => remove());
}

/** Counts the replies by kind while nobody asks for anything. */
async function countReplies(rig: Rig, forMs: number): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  const end = watchReplies(rig, (kind) => {
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return false;
  });
  await delay(forMs);
  end();
  return seen;
}

/** Returns a function that leads an order through its life, and swallows one of the replies. */
function createTrial({
  rig,
  shop,
  log,
  onFault,
  signal,
}: {
  rig: Rig;
  shop: Shop;
  log: CallLog;
  onFault: (fault: string) => void;
  signal: AbortSignal;
}) {
  let trials = 0;
  return async (point: Point | undefined): Promise<Trial> => {
    const seen = new Map<string, number>();
    let isLost = false;
    const end = watchReplies(rig, (kind) => {
      if (isLost) return false;
      const count = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, count);
      isLost = kind === point?.kind && count === point.nth;
      return isLost;
    });
    const deadline = log.now() + CALL_MS;
    const client = `life-${++trials}`;
    try {
      const caller = createCaller({
        client,
        apis: rig.apis,
        log,
        deadline: () => (signal.aborted ? 0 : deadline),
        onFault,
      });
      const life = await live(caller, shop);
      const orderIds = life.orderId === undefined ? [] : [life.orderId];
      const settlement = await settle(rig, orderIds, { limitMs: SETTLED_MS, signal });
      return { ...life, settlement, seen, isLost };
    } finally {
      end();
    }
  };
}

/** The commits first, and one of each kind; which of the others come first, the seed decides. */
function randomised(kinds: readonly (readonly [kind: string, count: number])[], seed: number): Point[] {
  const points = kinds.flatMap(([kind, count]) =>
    Array.from({ length: count }, (_none, index) => ({ kind, nth: index + 1 })),
  );
  const rank = ({ kind, nth }: Point): number => (kind.endsWith('commitTransaction') ? 0 : nth === 1 ? 1 : 2);
  return randomOf(seed, 'swallow')
    .shuffled(points)
    .sort((a, b) => rank(a) - rank(b));
}

function wrongWith(
  { kind, nth }: Point,
  { refused, settlement, orderId }: Trial,
  book: Book,
  expected: Book,
): Finding[] {
  const subject = `reply ${nth} of ${kind}, ${orderId ?? 'without an order'}`;
  const differences = (Object.keys(expected) as (keyof Book)[])
    .filter((field) => book[field] !== expected[field])
    .map((field) => ({
      kind: 'book',
      means: 'An order has left behind something else than an undisturbed one',
      subject,
      expected: `${field} ${expected[field]}`,
      found: String(book[field]),
    }));
  return [
    ...differences,
    ...refused.map((found) => ({
      kind: 'refused',
      means: 'A call that was repeated has not been done',
      subject,
      expected: 'each call to be done',
      found,
    })),
    ...settlement.unsettled.map((found) => ({
      kind: 'liveness',
      means: 'An order that was accepted is not settled without help',
      subject,
      expected: 'settled within 2 minutes',
      found,
    })),
  ];
}
