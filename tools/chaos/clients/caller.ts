import { setTimeout as delay } from 'node:timers/promises';
import type { OrderView } from '../../../src/orders/order-view';
import type { Args, Attempt, CallLog, Invocation, Op, OrderSeen, Outcome, StockSeen } from '../log';
import type { Rig } from '../rig/rig';
import { attemptOf, faultOf, outcomeOf, send, type Answer, type Request } from './http';

/** A call that a client makes, before it has a name. */
export interface Call {
  op: Op;
  subject: string | null;
  args: Args;
  request: Request;
  /** The Idempotency-Key of a call that is a repeat of an earlier one, or will be repeated; by default, it has its own. */
  key?: string;
}

export interface Result {
  outcome: Outcome;
  /** The Idempotency-Key that it had. */
  key: string | null;
  answer: Answer;
  /** Whole, if the answer had one. */
  order?: OrderView;
}

export interface Caller {
  /** Makes a call, and repeats it until its outcome is known or the deadline has passed. */
  call(call: Call): Promise<Result>;
}

export interface CallerOptions {
  client: string;
  apis: Rig['apis'];
  log: CallLog;
  /** When to give up on calls whose outcome is unknown, by the clock of the log. */
  deadline: () => number;
  /** Is told what no answer may be. */
  onFault: (fault: string) => void;
}

const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 4_000;

/** A client, which makes one call at a time, and asks the other API when one has not told an outcome. */
export function createCaller({ client, apis, log, deadline, onFault }: CallerOptions): Caller {
  let calls = 0;
  let turn = 0;

  async function attempt(request: Request, attempts: Attempt[]): Promise<Answer> {
    const processes = [...apis.keys()]; // as it is now: an API that is about to stop is asked no more
    const process = processes[turn % processes.length]!;
    const sent = log.now();
    const answer = await send(apis.get(process)!, request);
    attempts.push(attemptOf(sent, log.now(), process, answer));
    const fault = faultOf(answer, request);
    if (fault !== undefined) onFault(`${(sent / 1_000).toFixed(1)} s: ${fault}`);
    return answer;
  }

  return {
    async call({ op, subject, args, request, key: named }) {
      const id = `${client}-${++calls}`;
      turn = calls;
      const isRead = request.method === 'GET';
      // A cart is what names its order, and to put a product into it again changes nothing.
      const key = isRead || op.startsWith('cart.') ? null : (named ?? `chaos-${id}`);
      const invocation: Invocation = { id, client, op, subject, key, args };
      log.invoke(invocation);
      const attempts: Attempt[] = [];
      const sent = { ...request, key };
      let answer = await attempt(sent, attempts);
      for (
        let pause = FIRST_PAUSE_MS;
        !isRead && outcomeOf(answer) === 'unknown' && log.now() + pause < deadline();
        pause = Math.min(MOST_PAUSE_MS, 2 * pause)
      ) {
        await delay(pause);
        turn++;
        answer = await attempt(sent, attempts);
      }
      const outcome = outcomeAfter(attempts, answer, isRead);
      const seen = seenIn(op, outcome, answer);
      const orderId = seen.order?.id ?? answer.orderId;
      log.settle(id, {
        process: attempts.at(-1)!.process,
        outcome,
        status: answer.status,
        ...(answer.code !== undefined && { code: answer.code }),
        ...(PLACING.has(op) &&
          orderId !== undefined &&
          !isOrdered(answer) && { subject: `order:${orderId}` }),
        ...seen,
        attempts,
      });
      return { outcome, key, answer, ...(seen.order && { order: answer.data as OrderView }) };
    },
  };
}

const PLACING: ReadonlySet<Op> = new Set(['order.place', 'cart.checkout']);

/** The cart is ordered: maybe by this very call, in an attempt whose answer was lost. */
const isOrdered = ({ code }: Answer): boolean => code === 'cart_ordered';

function outcomeAfter(attempts: readonly Attempt[], answer: Answer, isRead: boolean): Outcome {
  const outcome = outcomeOf(answer);
  if (isRead) return outcome === 'ok' ? 'ok' : 'fail'; // a read that has told nothing has changed nothing
  return isOrdered(answer) && attempts.length > 1 ? 'unknown' : outcome;
}

interface Seen {
  version?: number;
  order?: OrderSeen;
  stock?: StockSeen;
  orders?: Pick<OrderSeen, 'id' | 'version' | 'status'>[];
}

function seenIn(op: Op, outcome: Outcome, { etag, data }: Answer): Seen {
  if (outcome !== 'ok' || data == null) return {};
  if (op === 'order.list')
    return { orders: (data as OrderView[]).map(({ id, version, status }) => ({ id, version, status })) };
  if (op.startsWith('stock.')) return { stock: stockSeen(data as { stock: StockSeen }) };
  if (op.startsWith('cart.') && op !== 'cart.checkout') return {};
  return { version: Number(/\d+/.exec(etag ?? '')?.[0]), order: orderSeen(data as OrderView) };
}

function stockSeen({ stock }: { stock: Partial<StockSeen> }): StockSeen {
  const { available = 0, reserved = 0, held = 0 } = stock;
  return { available, reserved, held };
}

function orderSeen(order: OrderView): OrderSeen {
  const { id, version, status, paymentStatus, fulfillmentStatus, total, cancelled, captured, refunded } =
    order;
  const items = order.items.map((item) => ({
    productId: item.productServiceId,
    quantity: item.quantity,
    fulfilled: item.fulfilledQuantity,
    cancelled: item.cancelledQuantity,
    refunded: item.refundedQuantity,
  }));
  const states = { status, paymentStatus, fulfillmentStatus };
  const rejection = order.rejection?.code ?? null;
  return { id, version, ...states, total, cancelled, captured, refunded, items, rejection };
}
