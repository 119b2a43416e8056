import { isDeepStrictEqual } from 'node:util';
import { PLACING } from '../history';
import type { CallRecord } from '../log';
import { groupBy } from './documents';
import type { Findings } from './finding';
import { orderIdOf, type PlacedOrder } from './logged';

/** Of an order that was placed already, or closed since then: it was not rejected. */
const CREATED = 201;
const REUSED = 'idempotency_key_reused';

/** Judges whether each key stands for one request and its one outcome, and each order for one key or cart. */
export function auditKeys(
  log: readonly CallRecord[],
  placed: ReadonlyMap<string, PlacedOrder>,
  findings: Findings,
): void {
  const keyed = log.filter(({ key }) => key !== null);
  for (const [key, calls] of groupBy(keyed, ({ op, key: of, subject }) => nameOf(op, of!, subject)))
    if (calls.length > 1) auditRepeats(key, calls, findings);
  auditPlacing(log, placed, findings);
}

/** Commands on two orders have nothing to do with each other. */
function nameOf(op: CallRecord['op'], key: string, subject: string | null): string {
  return PLACING.has(op) ? `${op} ${key}` : `${op} ${key} ${subject ?? ''}`;
}

function auditRepeats(name: string, calls: readonly CallRecord[], findings: Findings): void {
  const shown = (some: readonly CallRecord[]) =>
    some.map(({ id, args, outcome, status, code }) => ({ call: id, args, outcome, status, code }));
  const first = calls.find(({ outcome }) => outcome === 'ok') ?? calls[0]!;
  const same = calls.filter(({ args }) => isSameContent(args, first.args));
  const isDone = (call: CallRecord): boolean =>
    call.outcome === 'ok' && (call.op !== 'order.place' || call.status === CREATED);
  if (same.some(isDone) && same.some(({ outcome }) => outcome === 'fail'))
    findings.add('repeat_differs', name, 'one outcome', shown(same));
  const others = calls.filter((call) => !same.includes(call) && first.at.returned! < call.at.invoked);
  const accepted = others.filter(
    ({ outcome, code }) => outcome === 'ok' || (outcome === 'fail' && code !== REUSED),
  );
  if (first.outcome === 'ok' && accepted.length > 0)
    findings.add('repeat_differs', name, REUSED, shown([first, ...accepted]));
}

/** How the answer is wanted, and which version is named, is not part of what is asked for. */
function isSameContent(a: CallRecord['args'], b: CallRecord['args']): boolean {
  const contentOf = ({ isAsync: _isAsync, ifVersion: _ifVersion, ...content }: CallRecord['args']) => content;
  return isDeepStrictEqual(contentOf(a), contentOf(b));
}

function auditPlacing(
  log: readonly CallRecord[],
  placed: ReadonlyMap<string, PlacedOrder>,
  findings: Findings,
): void {
  const naming = log.filter((call) => PLACING.has(call.op) && orderIdOf(call) !== undefined);
  const byOrder = groupBy(naming, (call) => orderIdOf(call)!);
  for (const [id, calls] of byOrder) {
    const found = distinct(calls.map(({ key, args, id: call }) => key ?? args.cartId ?? call));
    if (found.length > 1) findings.add('key_shared', id, 'one key or cart', found);
    for (const { op, args } of calls) {
      const order = placed.get(id);
      if (order && (op === 'order.place' || args.cartId !== undefined))
        findings.same('key_shared', id, { cart: args.cartId ?? null }, { cart: order.cartId ?? null });
    }
  }
  const byKey = groupBy(
    naming.filter(({ key }) => key !== null),
    ({ key }) => key!,
  );
  for (const [key, calls] of byKey) {
    const found = distinct(calls.map((call) => orderIdOf(call)!));
    if (found.length > 1) findings.add('key_shared', key, 'one order', found);
  }
}

function distinct<T>(some: readonly T[]): T[] {
  return [...new Set(some)];
}
