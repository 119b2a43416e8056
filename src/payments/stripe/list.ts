import type { ListedPayment, ListRequest, PaymentList, ProviderPayment } from '../../domain/payment';
import { chargeOf, presentIntent, statusOf, wasAuthorized } from './intents';
import type { StripePaymentRepository } from './repository';
import {
  idOf,
  type Dispute,
  type Intent,
  type Refund,
  type StripePeriod,
  type StripeRequests,
} from './requests';

interface Page<T> {
  data: T[];
  has_more: boolean;
}

/** The lists of Stripe that are read one after the other: a payment may be refunded and disputed long after it was made. */
const LISTS = ['intents', 'refunds', 'disputes'] as const;
type List = (typeof LISTS)[number];

/**
 * Lists the payments of a period, with what became of them: those that were made within it, and those that were refunded or
 * disputed within it. A cursor names Stripe's list and the last object that was read of it.
 */
export function createStripeList(requests: StripeRequests, payments: Pick<StripePaymentRepository, 'find'>) {
  const read: Record<List, (period: StripePeriod) => Promise<Page<{ id: string }>>> = {
    intents: requests.listIntents,
    refunds: requests.listRefunds,
    disputes: requests.listDisputes,
  };

  /** Returns the intents that a page is about. */
  async function intentsOf(list: List, data: { id: string }[]): Promise<Intent[]> {
    if (list === 'intents') return data as Intent[];
    const ids = (data as (Refund | Dispute)[]).map(({ payment_intent: intent }) => idOf(intent));
    const intents: Intent[] = [];
    for (const id of new Set(ids)) if (id !== undefined) intents.push(await requests.retrieve(id));
    return intents;
  }

  async function present(intent: Intent): Promise<ListedPayment | null> {
    const { key, orderId, paymentMethod } = intent.metadata;
    if (!key || !orderId || !paymentMethod) return null; // of another program
    if (intent.status === 'processing' || statusOf(intent) === 'unconfirmed') return null;
    const { action: _, ...payment } = presentIntent(intent, {
      key,
      ...(await closing(intent, key)),
      refunds: await refundsOf(intent),
      disputes: chargeOf(intent)?.disputed ? await requests.disputes(intent.id) : [],
    });
    const createdAt = new Date(intent.created * 1_000).toISOString();
    return { ...payment, orderId, paymentMethod, createdAt };
  }

  /** Returns the status, and why the payment was declined if it was. */
  async function closing(
    intent: Intent,
    key: string,
  ): Promise<Pick<ProviderPayment, 'status' | 'declineReason'>> {
    const status = statusOf(intent) as ProviderPayment['status'];
    if (status !== 'voided' || wasAuthorized(intent)) return { status };
    const declineReason = (await payments.find(key))?.declineReason ?? undefined;
    return { status: declineReason === undefined ? status : 'declined', declineReason };
  }

  async function refundsOf(intent: Intent): Promise<Refund[]> {
    if (intent.amount_received === 0) return [];
    const expanded = chargeOf(intent)?.refunds;
    return expanded && !expanded.has_more ? expanded.data : requests.refunds(intent.id);
  }

  return async ({ from, to, cursor = null }: ListRequest): Promise<PaymentList> => {
    const { list, after } = placeOf(cursor);
    const created = { gte: secondsOf(from), lt: secondsOf(to) };
    const page = await read[list]({ created, ...(after !== undefined && { starting_after: after }) });
    const presented: (ListedPayment | null)[] = [];
    for (const intent of await intentsOf(list, page.data)) presented.push(await present(intent));
    return {
      payments: presented.filter((payment) => payment !== null),
      nextCursor: cursorAfter(list, page),
    };
  };
}

function placeOf(cursor: string | null): { list: List; after?: string } {
  if (cursor === null) return { list: 'intents' };
  const [list, after] = cursor.split(':') as [List, string];
  return { list, ...(after && { after }) };
}

function cursorAfter(list: List, { data, has_more }: Page<{ id: string }>): string | null {
  if (has_more) return `${list}:${data.at(-1)!.id}`;
  const next = LISTS[LISTS.indexOf(list) + 1];
  return next === undefined ? null : `${next}:`;
}

/** Stripe counts whole seconds. */
function secondsOf(time: string): number {
  return Math.floor(new Date(time).getTime() / 1_000);
}
