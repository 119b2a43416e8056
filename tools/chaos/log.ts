import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';

/** What a client can ask for. */
export type Op =
  | 'order.place'
  | 'order.read'
  | 'order.list'
  | 'order.amend'
  | 'order.cancel'
  | 'order.fulfill'
  | 'order.deliver'
  | 'order.refund'
  | 'stock.read'
  | 'stock.adjust'
  | 'cart.create'
  | 'cart.put'
  | 'cart.read'
  | 'cart.checkout';

/**
 * `fail`: it is certain that nothing was done, and that nothing will be. `unknown`: it may have been done, or may be
 * done at any later time.
 */
export type Outcome = 'ok' | 'fail' | 'unknown';

export interface Line {
  productId: string;
  quantity: number;
}

/** The arguments of a call, by what it asks for; a field that does not apply is missing. */
export interface Args {
  /** Of place, amend (all lines), fulfill, and cancel (missing: all that is open). */
  items?: readonly Line[];
  /** Of place and checkout. */
  paymentMethod?: string;
  /** Of refund, in minor units; missing: all that is left. */
  amount?: number;
  /** Of stock.adjust. */
  delta?: number;
  /** Of deliver. */
  fulfillmentId?: string;
  /** Of cart.put: 0 removes the line. */
  line?: Line;
  /** The version that If-Match names. */
  ifVersion?: number;
  /** Of place and checkout: with `Prefer: respond-async`. */
  isAsync?: boolean;
  /** Of checkout. */
  cartId?: string;
  /** Of list: how many it shows at most. */
  limit?: number;
}

/** What a client has read of an order. */
export interface OrderSeen {
  id: string;
  version: number;
  status: string;
  paymentStatus: string;
  fulfillmentStatus: string;
  /** Null while it is being placed, as the sums that follow. */
  total: number | null;
  cancelled: number;
  captured: number;
  refunded: number;
  items: (Line & { fulfilled: number; cancelled: number; refunded: number })[];
  /** The code of the rejection, if it was rejected. */
  rejection: string | null;
}

export interface StockSeen {
  available: number;
  reserved: number;
  /** In carts. */
  held: number;
}

/** Each request of a call. A call is repeated with the same Idempotency-Key while its outcome is unknown. */
export interface Attempt {
  /** Milliseconds since the log was opened. */
  sent: number;
  returned: number;
  /** The process that was asked, for example `api-1`. */
  process: string;
  /** Null without a response. */
  status: number | null;
  /** The code of a problem, or of the connection's error. */
  code?: string;
}

/**
 * One thing that a client asked for, from its first request to the answer that told its outcome. Each client makes one
 * call at a time.
 */
export interface CallRecord {
  /** Unique in the log. */
  id: string;
  client: string;
  op: Op;
  /**
   * Whose state it reads or changes: `order:<id>`, `stock:<product id>`, `cart:<id>`; of order.place, which creates
   * its subject, null until an answer has told the order's id. That of cart.checkout becomes its order.
   */
  subject: string | null;
  /** The Idempotency-Key, if it has one. */
  key: string | null;
  args: Args;
  /** Milliseconds since the log was opened, by one clock for all clients. `returned` is null without an outcome. */
  at: { invoked: number; returned: number | null };
  /** The process that gave the last answer. */
  process: string;
  outcome: Outcome;
  /** Of the last answer; null if there was none. */
  status: number | null;
  /** The code of the problem, if the last answer was one. */
  code?: string;
  /** The version in the ETag of the answer: of an order, its `version`. */
  version?: number;
  /** What the answer said. */
  order?: OrderSeen;
  stock?: StockSeen;
  /** Of order.list. */
  orders?: readonly Pick<OrderSeen, 'id' | 'version' | 'status'>[];
  attempts: readonly Attempt[];
}

/** What is known of a call when it begins. */
export type Invocation = Pick<CallRecord, 'id' | 'client' | 'op' | 'subject' | 'key' | 'args'>;
/** What its end adds. */
export type Return = Omit<CallRecord, keyof Invocation | 'at'> & { subject?: string | null };

type LogLine =
  ({ event: 'invoke'; at: number } & Invocation) | ({ event: 'return'; at: number; id: string } & Return);

/** Writes calls as JSON lines, one when it begins and one when it ends, so that a killed client leaves its trace. */
export interface CallLog {
  /** Milliseconds since the log was opened. */
  now(): number;
  invoke(call: Invocation): void;
  /** Tells the outcome of a call; one without is `unknown`. */
  settle(id: string, outcome: Return): void;
  close(): Promise<void>;
}

export function openCallLog(file: string): CallLog {
  const stream = createWriteStream(file);
  const start = performance.now();
  const now = (): number => Math.round((performance.now() - start) * 1_000) / 1_000;
  const write = (line: LogLine): void => void stream.write(`${JSON.stringify(line)}\n`);
  return {
    now,
    invoke: (call) => write({ event: 'invoke', at: now(), ...call }),
    settle: (id, outcome) => write({ event: 'return', at: now(), id, ...outcome }),
    async close() {
      stream.end();
      await once(stream, 'finish');
    },
  };
}

/** Reads the calls of a log in the order in which they began. */
export async function readCallLog(file: string): Promise<CallRecord[]> {
  return parseCallLog(await readFile(file, 'utf8'));
}

function parseCallLog(text: string): CallRecord[] {
  const calls = new Map<string, CallRecord>();
  for (const written of text.split('\n')) {
    if (written === '') continue;
    const { event, at, ...line } = JSON.parse(written) as LogLine;
    if (event === 'invoke') {
      calls.set(line.id, {
        ...(line as Invocation),
        at: { invoked: at, returned: null },
        process: '',
        outcome: 'unknown',
        status: null,
        attempts: [],
      });
      continue;
    }
    const begun = calls.get(line.id);
    if (begun === undefined) throw new Error(`The log ends a call that never began: ${line.id}`);
    const { subject = begun.subject, ...outcome } = line as { id: string } & Return;
    const returned = outcome.outcome === 'unknown' ? null : at;
    calls.set(line.id, { ...begun, ...outcome, subject, at: { invoked: begun.at.invoked, returned } });
  }
  return [...calls.values()];
}
