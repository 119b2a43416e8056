import { formatAmount } from '../src/domain/money';
import type { OrderState } from '../src/domain/order';
import type { Owed, OrderSummary } from '../src/domain/order-summary';
import { isClosed } from '../src/domain/order-transitions';
import { isBeingPlaced, isUnpaid } from '../src/domain/paying';

/** Something that the workflow is doing, or waits for; times are ISO 8601. */
export interface Doing {
  /** Such as `Capture 47.58 EUR`. */
  step: string;
  since: string;
}

/** The last thing that has failed. */
export interface Trouble {
  step: string;
  failure: string;
  at: string;
  /** Whether it is still being retried. */
  isNow: boolean;
  /** Present if it is to release what is reserved. */
  isCompensation?: true;
}

/** What a workflow knows of its order beside the summary. */
export interface Circumstances {
  /** When the state of the order last changed; the latest time that this may have been, if it is not exact. */
  since: { at: string; isExact: boolean };
  doing: Doing | null;
  trouble: Trouble | null;
  /** How long a confirmed order may wait for its fulfillment, in milliseconds. */
  fulfillmentDeadlineMs: number;
}

/** What an order waits for. */
interface Waiting {
  /** Such as `its delivery`. */
  what: string;
  since: string | null;
  until: string | null;
}

/** The result of the query `getOrder`: identifiers, states and figures, and nothing personal. */
export interface OrderReport extends OrderState {
  number: string;
  /** Null until the order is saved. */
  version: number | null;
  currency: string | null;
  /** Minor units, as `captured` and `refunded`. */
  total: number | null;
  captured: number;
  refunded: number;
  /** The code of the rejection. */
  rejection: string | null;
  /** When the state of the order last changed, or may last have changed. */
  since: string;
  isSinceExact: boolean;
  waitsFor: Waiting | null;
  doing: Doing | null;
  overdue: boolean;
  /** Those that are not settled, the first ones if there are many. */
  compensations: Pick<Owed, 'step' | 'kind' | 'amount' | 'state' | 'since' | 'failure'>[];
  lastFailure: Trouble | null;
  whatToDo: string;
}

/** How many compensations are shown: an order has a few at most, unless someone tries hard. */
const SHOWN = 20;

export function reportOf(order: OrderSummary, circumstances: Circumstances): OrderReport {
  const { number, version, status, paymentStatus, fulfillmentStatus } = order;
  const { currency, total, captured, refunded, rejection, isOverdue = false } = order;
  const { since, doing, trouble } = circumstances;
  return {
    number,
    version: version || null,
    status,
    paymentStatus,
    fulfillmentStatus,
    currency,
    total,
    captured,
    refunded,
    rejection: rejection?.code ?? null,
    since: since.at,
    isSinceExact: since.isExact,
    waitsFor: waitingOf(order, circumstances),
    doing,
    overdue: isOverdue,
    compensations: order.owed
      .slice(0, SHOWN)
      .map(({ step, kind, amount, state, since: owedSince, failure }) => ({
        step,
        kind,
        amount,
        state,
        since: owedSince,
        failure: failure && shortened(failure),
      })),
    lastFailure: trouble,
    whatToDo: whatToDo(order, circumstances),
  };
}

function waitingOf(order: OrderSummary, { since, fulfillmentDeadlineMs }: Circumstances): Waiting | null {
  const { awaits, waitingSince } = order;
  if (isClosed(order)) return null;
  if (isBeingPlaced(order)) return { what: 'its stock and its payment', since: since.at, until: null };
  if (awaits) {
    const what = awaits.what === 'action' ? 'to confirm the payment at the bank' : 'to try another card';
    return { what: `the customer ${what}`, since: since.at, until: awaits.until };
  }
  if (waitingSince) {
    const until = new Date(Date.parse(waitingSince) + fulfillmentDeadlineMs).toISOString();
    return { what: isUnpaid(order) ? 'another payment' : 'its fulfillment', since: waitingSince, until };
  }
  const what = order.isOverdue ? 'the fulfillment of its rest' : 'its delivery';
  return { what, since: since.at, until: null };
}

const RUNBOOK = 'docs/runbook.md';

/** What an operator does about an order in this state; each anchor of the runbook is listed in docs/temporal-ui.md. */
function whatToDo(order: OrderSummary, { trouble, doing }: Circumstances): string {
  if (trouble?.isNow)
    return `See ${RUNBOOK}#a-step-keeps-failing; it succeeds without more once its cause is mended.`;
  if (order.owed.some(({ state }) => state === 'pending'))
    return `Mend the cause, then retry it at \`POST /orders/{id}/compensations/{step}/retry\`, or settle it by hand and resolve it: ${RUNBOOK}#a-compensation-is-pending.`;
  if (order.owed.length > 0)
    return `Nothing, unless it lasts longer than two minutes: ${RUNBOOK}#a-compensation-is-pending.`;
  if (doing && order.toPay && !isBeingPlaced(order))
    return `Nothing, unless it lasts longer than five minutes: ${RUNBOOK}#a-payment-takes-long.`;
  if (isClosed(order)) return 'Nothing.';
  if (order.isOverdue) return `Ship, or cancel, what is open: ${RUNBOOK}#an-order-is-overdue.`;
  if (isBeingPlaced(order))
    return `Nothing, unless it lasts longer than five minutes: ${RUNBOOK}#an-order-stays-pending.`;
  if (order.awaits) return `Nothing: it ends at that time. See ${RUNBOOK}#an-order-waits-for-its-customer.`;
  if (isUnpaid(order) && order.waitingSince)
    return `Have the customer pay with another card, or cancel it: ${RUNBOOK}#an-order-has-lost-its-payment.`;
  return order.waitingSince
    ? `Ship it in time: ${RUNBOOK}#an-order-waits-for-its-fulfillment.`
    : `Say so once it has arrived: ${RUNBOOK}#an-order-waits-for-its-delivery.`;
}

/** Describes the order in Markdown. @param took how long the parts of placing the order took, in milliseconds */
export function detailsOf(
  order: OrderSummary,
  circumstances: Circumstances,
  took: Record<string, number>,
): string {
  const { since, doing, trouble } = circumstances;
  const { status, rejection } = order;
  const why = rejection ? `: ${rejection.code} (${rejection.detail})` : '';
  const waiting = waitingOf(order, circumstances);
  const times = Object.entries(took).map(([part, ms]) => `\`${part}\` ${ms} ms`);
  const parts = [
    `Order ${order.number} is **${status}** since ${since.at}${since.isExact ? '' : ' at the latest'}${why}.`,
    axesOf(order),
    ...(order.isOverdue ? ['**Overdue**: the rest of the order waits for its fulfillment.'] : []),
    ...(waiting ? [sentenceOf(waiting, order)] : []),
    ...(doing ? [`**Now**, since ${doing.since}: ${doing.step}.`] : []),
    ...order.owed.slice(0, SHOWN).map(owedLine),
    ...(trouble ? [troubleLine(trouble)] : []),
    ...(times.length > 0 ? [`Placed in one step: ${times.join(', ')}.`] : []),
    `**What to do**: ${whatToDo(order, circumstances)}`,
  ];
  return parts.join('\n\n');
}

function axesOf({ paymentStatus, fulfillmentStatus, captured, refunded, currency, total }: OrderSummary) {
  const taken = captured > 0 ? `, ${formatAmount(captured - refunded, currency!)} taken` : '';
  const sum = total !== null && currency !== null ? `, total ${formatAmount(total, currency)}` : '';
  return `Payment ${paymentStatus}${taken}, fulfillment ${fulfillmentStatus}${sum}.`.replaceAll('_', ' ');
}

function sentenceOf({ what, since, until }: Waiting, order: OrderSummary): string {
  const end = until ? `, until ${until}` : '';
  return `**Waits for** ${what}, since ${since}${end}.${endingOf(order)}`;
}

function endingOf(order: OrderSummary): string {
  if (!order.waitingSince || order.awaits) return '';
  return order.fulfillmentStatus === 'unfulfilled'
    ? ' If nothing of it is fulfilled by then, it is cancelled.'
    : ' If the rest is not fulfilled by then, it is overdue.';
}

function owedLine({ step, kind, amount, payment, state, since, failure }: Owed): string {
  const what = `${kind} ${formatAmount(amount, payment.currency)}, owed since ${since}`;
  return state === 'pending'
    ? `- **compensation_pending**: \`${step}\` keeps failing (${shortened(String(failure))}) and is being retried: ${what}`
    : `- \`${step}\` is under way: ${what}`;
}

function troubleLine({ step, failure, at, isNow, isCompensation }: Trouble): string {
  if (!isNow) return `**Failed last**: \`${step}\` (${failure}), at ${at}; it has worked since.`;
  const label = isCompensation ? 'compensation_pending' : 'Failed last';
  return `**${label}**: \`${step}\` keeps failing (${failure}) since ${at}, and is being retried.`;
}

const LONGEST_FAILURE = 300;

/** Failures may be long, and have lines that would break the Markdown. */
export function shortened(failure: string): string {
  const line = failure.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_FAILURE ? `${line.slice(0, LONGEST_FAILURE - 1)}…` : line;
}
