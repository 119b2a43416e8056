import type { Line } from '../log';
import type { Call, Caller, Result } from './caller';

/** How a call is made: once; twice at once with one key; again when it is answered; or again with another content. */
export type Manner = 'once' | 'twice at once' | 'again' | 'otherwise';

const MANNERS: readonly [below: number, Manner][] = [
  [0.05, 'twice at once'],
  [0.12, 'again'],
  [0.17, 'otherwise'],
];

/** @param chance from 0, below 1 */
export function mannerOf(chance: number): Manner {
  return MANNERS.find(([below]) => chance < below)?.[1] ?? 'once';
}

/** A cart is its own key, and to order it again after a rejection is another order. */
const isKeyed = ({ op, request }: Call): boolean => request.method !== 'GET' && !op.startsWith('cart.');

export interface Callers {
  caller: Caller;
  /** Makes calls at the same time. */
  twin: Caller;
  /** A key that is used for nothing else. */
  key: string;
}

/** Makes a call in that manner. Returns what has come of it first, and of each repeat. */
export async function make(
  call: Call,
  manner: Manner,
  { caller, twin, key }: Callers,
): Promise<{ result: Result; repeats: Result[] }> {
  if (manner === 'once' || !isKeyed(call)) return { result: await caller.call(call), repeats: [] };
  if (manner === 'twice at once') {
    const both = await Promise.all([caller, twin].map((one) => one.call({ ...call, key })));
    return { result: both[0]!, repeats: both.slice(1) };
  }
  const result = await caller.call({ ...call, key });
  if (result.outcome === 'unknown') return { result, repeats: [] };
  const next = manner === 'again' ? call : result.outcome === 'ok' ? otherwise(call) : undefined;
  return { result, repeats: next ? [await caller.call({ ...next, key })] : [] };
}

/** Returns the call with another content, if it has one that can be another. */
function otherwise(call: Call): Call | undefined {
  const { op, args, request } = call;
  const made = (more: object, content: object): Call => ({
    ...call,
    args: { ...args, ...more },
    request: { ...request, body: { ...request.body, ...content } },
  });
  switch (op) {
    case 'order.place':
    case 'order.amend':
    case 'order.fulfill': {
      const [first, ...rest] = args.items as [Line, ...Line[]];
      const items = [{ ...first, quantity: first.quantity + 1 }, ...rest];
      return made(
        { items },
        { items: items.map(({ productId, quantity }) => ({ productServiceId: productId, quantity })) },
      );
    }
    case 'order.refund': {
      const amount = (args.amount ?? 0) + 1;
      return made({ amount }, { amount });
    }
    case 'stock.adjust': {
      const delta = args.delta! + (args.delta === -1 ? 2 : 1);
      return made({ delta }, { delta });
    }
    default:
      return undefined;
  }
}
