import { newKey } from '../fixtures';

/** Form parameters, for example `metadata[key]`. */
export type Params = Record<string, string>;

export interface FakeIntent {
  id: string;
  object: 'payment_intent';
  status: string;
  amount: number;
  amount_capturable: number;
  amount_received: number;
  currency: string;
  payment_method: string | null;
  metadata: Params;
  last_payment_error: object | null;
  cancellation_reason: string | null;
  client_secret: string;
  next_action: object | null;
  /** In seconds. */
  created: number;
  latest_charge: FakeCharge | null;
  payment_method_options: { card?: { request_multicapture: string } };
}

interface FakeCharge {
  id: string;
  object: 'charge';
  status: string;
  payment_intent: string;
  disputed: boolean;
  refunds: FakeList<FakeRefund>;
  payment_method_details: { card: { multicapture: { status: string } } };
}

export interface FakeRefund {
  id: string;
  object: 'refund';
  amount: number;
  payment_intent: string;
  status: string;
  metadata: Params;
  created: number;
}

export interface FakeDispute {
  id: string;
  object: 'dispute';
  amount: number;
  currency: string;
  payment_intent: string;
  status: string;
  reason: string;
  created: number;
}

export interface FakeEvent {
  id: string;
  object: 'event';
  type: string;
  created: number;
  livemode: false;
  data: { object: object };
  request: { id: null; idempotency_key: string | null };
}

interface FakeList<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}

/** An error response. `saved`: a repeat with the same idempotency key gets it again. */
export class FakeError extends Error {
  constructor(
    readonly status: number,
    readonly error: { type: string; code?: string; param?: string; message: string },
    readonly saved = true,
  ) {
    super(error.message);
  }
}

const invalid = (message: string, details: { code?: string; param?: string } = {}, saved = true) =>
  new FakeError(400, { type: 'invalid_request_error', message, ...details }, saved);
const unexpectedState = (intent: FakeIntent) =>
  invalid(`This PaymentIntent is ${intent.status}.`, { code: 'payment_intent_unexpected_state' });

const INSUFFICIENT_FUNDS: [string, string, string] = [
  'card_declined',
  'insufficient_funds',
  'Your card has insufficient funds.',
];
/** The code, the decline code and the message of each. */
const DECLINED: Record<string, [code: string, declineCode: string, message: string]> = {
  pm_card_chargeDeclined: ['card_declined', 'generic_decline', 'Your card was declined.'],
  pm_card_chargeDeclinedInsufficientFunds: INSUFFICIENT_FUNDS,
  pm_card_chargeDeclinedExpiredCard: ['expired_card', 'expired_card', 'Your card has expired.'],
};
/** The cards whose bank asks the customer, with the reason if it declines the payment even then. */
const ASKING: Record<string, [code: string, declineCode: string, message: string] | null> = {
  pm_card_threeDSecure2Required: null,
  pm_card_authenticationRequired: null,
  pm_card_threeDSecureRequiredChargeDeclined: DECLINED.pm_card_chargeDeclined!,
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: INSUFFICIENT_FUNDS,
};
const AUTHENTICATION_REQUIRED = {
  type: 'card_error',
  code: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};
const AUTHENTICATION_FAILED = {
  type: 'invalid_request_error',
  code: 'payment_intent_authentication_failure',
  message:
    'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
};
/** What the charge of an intent shows of its refunds. */
const REFUNDS_OF_CHARGE = 10;
const MAX_METADATA = 50;
const CANCELABLE = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'requires_capture',
];

/** PaymentIntents, refunds and disputes in memory, with the states that Stripe documents for the requests we send. */
export function createFakeState() {
  const intents = new Map<string, FakeIntent>();
  const refunds: FakeRefund[] = [];
  const disputes: FakeDispute[] = [];
  const events: FakeEvent[] = [];
  /** The idempotency key of the request that is being served; null if people, banks or time are at it. */
  const request = { idempotency_key: null as string | null };
  const now = () => Math.floor(Date.now() / 1_000);

  function emit(type: string, object: object): void {
    const data = { object: structuredClone(object) };
    const { idempotency_key } = request;
    const event = { id: newId('evt'), object: 'event', type, created: now(), livemode: false, data } as const;
    events.push({ ...event, request: { id: null, idempotency_key } });
  }
  const newId = (prefix: string) => `${prefix}_${newKey()}`;

  function create(params: Params): FakeIntent {
    if (params.payment_method === 'pm_missing')
      throw invalid('No such PaymentMethod', { code: 'resource_missing', param: 'payment_method' }, false);
    if (params.payment_method === 'pm_misconfigured') throw invalid('Not activated.', {}, false);
    if (Number(params.amount) < 50)
      throw invalid('Amount must be at least 50', { code: 'amount_too_small', param: 'amount' }, false);
    const requested = params['payment_method_options[card][request_multicapture]'];
    const id = newId('pi');
    const intent: FakeIntent = {
      id,
      object: 'payment_intent',
      status: 'requires_confirmation',
      amount: Number(params.amount),
      amount_capturable: 0,
      amount_received: 0,
      currency: params.currency!,
      payment_method: params.payment_method!,
      metadata: metadataOf(params),
      last_payment_error: null,
      cancellation_reason: null,
      client_secret: `${id}_secret_${newKey()}`,
      next_action: null,
      created: now(),
      latest_charge: null,
      payment_method_options: requested === undefined ? {} : { card: { request_multicapture: requested } },
    };
    intents.set(intent.id, intent);
    return intent;
  }

  function read(id: string): FakeIntent {
    const intent = intents.get(id);
    if (intent) return intent;
    throw new FakeError(404, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: 'No such intent',
    });
  }

  function confirm(intent: FakeIntent, params: Params): void {
    if (intent.status !== 'requires_confirmation') throw unexpectedState(intent);
    const method = intent.payment_method!;
    if (method === 'pm_used_before') throw invalid('The provided PaymentMethod was previously used.');
    if (method === 'pm_blocked') throw new FakeError(402, { type: 'card_error', message: 'It is blocked.' });
    if (method === 'pm_processing') intent.status = 'processing';
    else if (method === 'pm_requires_action') ask(intent, params);
    else if (method in ASKING && params.off_session) fail(intent, AUTHENTICATION_REQUIRED);
    else if (method in ASKING) ask(intent, params);
    else if (method in DECLINED) fail(intent, declined(DECLINED[method]!));
    else authorize(intent);
  }

  const declined = ([code, decline_code, message]: [string, string, string]) => {
    return { type: 'card_error', code, decline_code, message };
  };

  function authorize(intent: FakeIntent): void {
    Object.assign(intent, {
      status: 'requires_capture',
      amount_capturable: intent.amount,
      next_action: null,
      latest_charge: charge(intent, 'succeeded'),
    });
    emit('payment_intent.amount_capturable_updated', intent);
  }

  function ask(intent: FakeIntent, { return_url }: Params): void {
    const url = `https://hooks.stripe.com/3d_secure_2/hosted?payment_intent=${intent.id}`;
    const next_action =
      return_url === undefined
        ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'stripe_3ds2_fingerprint' } }
        : { type: 'redirect_to_url', redirect_to_url: { url, return_url } };
    Object.assign(intent, { status: 'requires_action', next_action });
    emit('payment_intent.requires_action', intent);
  }

  /** The customer answers the bank. */
  function answer(id: string, how: 'authorise' | 'fail'): void {
    const intent = read(id);
    if (intent.status !== 'requires_action') throw unexpectedState(intent);
    const reason = ASKING[intent.payment_method!];
    try {
      if (how === 'fail') fail(intent, AUTHENTICATION_FAILED);
      if (reason) fail(intent, declined(reason));
      authorize(intent);
    } catch (error) {
      if (!(error instanceof FakeError)) throw error; // which only the customer sees
    }
  }

  /** The customer tries another card with the client secret, once the first one has failed. */
  function tryAgain(id: string, paymentMethod: string): void {
    const intent = read(id);
    if (intent.status !== 'requires_payment_method') throw unexpectedState(intent);
    Object.assign(intent, { status: 'requires_confirmation', payment_method: paymentMethod });
    confirm(intent, {});
  }

  function fail(intent: FakeIntent, error: { type: string; code: string; message: string }): never {
    const status = 'requires_payment_method';
    Object.assign(intent, {
      status,
      payment_method: null,
      next_action: null,
      last_payment_error: error,
      latest_charge: charge(intent, 'failed'),
    });
    emit('payment_intent.payment_failed', intent);
    throw new FakeError(402, error);
  }

  function charge({ id, payment_method, payment_method_options }: FakeIntent, status: string): FakeCharge {
    const isRequested = payment_method_options.card?.request_multicapture === 'if_available';
    const isSupported = payment_method !== 'pm_card_credit_disableEnterpriseCardFeatures';
    const multicapture = { status: isRequested && isSupported ? 'available' : 'unavailable' };
    return {
      id: newId('ch'),
      object: 'charge',
      status,
      payment_intent: id,
      disputed: false,
      refunds: { object: 'list', data: [], has_more: false, url: '/v1/refunds' },
      payment_method_details: { card: { multicapture } },
    };
  }

  function capture(intent: FakeIntent, params: Params): void {
    if (intent.status !== 'requires_capture') throw unexpectedState(intent);
    if (intent.payment_method === 'pm_lapses')
      throw invalid('The charge has expired.', { code: 'charge_expired_for_capture' });
    if (intent.payment_method === 'pm_capture_fails')
      throw new FakeError(402, { type: 'card_error', message: 'Your card was declined.' });
    const amount = Number(params.amount_to_capture ?? intent.amount_capturable);
    const isFinal = params.final_capture !== 'false';
    if (amount > intent.amount_capturable)
      throw invalid('More than is capturable.', { code: 'amount_too_large', param: 'amount_to_capture' });
    if (amount === 0 && (!isFinal || intent.amount_received === 0))
      throw invalid('Nothing to capture.', { code: 'amount_too_small', param: 'amount_to_capture' });
    const { status } = intent.latest_charge!.payment_method_details.card.multicapture;
    if ('final_capture' in params && status !== 'available')
      throw invalid('Multicapture is not available.', { param: 'final_capture' });
    Object.assign(intent.metadata, metadataOf(params));
    if (Object.keys(intent.metadata).length > MAX_METADATA)
      throw invalid('Too many keys.', { param: 'metadata' });
    intent.amount_received += amount;
    intent.amount_capturable = isFinal ? 0 : intent.amount_capturable - amount;
    if (isFinal) intent.status = 'succeeded';
    emit('charge.captured', intent.latest_charge!);
    emit(`payment_intent.${isFinal ? 'succeeded' : 'amount_capturable_updated'}`, intent);
  }

  function cancel(intent: FakeIntent, params: Params): void {
    if (!CANCELABLE.includes(intent.status)) throw unexpectedState(intent);
    const cancellation_reason = params.cancellation_reason ?? null;
    const amount_capturable = 0;
    Object.assign(intent, {
      status: 'canceled',
      amount_capturable,
      cancellation_reason,
      next_action: null,
      last_payment_error: null,
    });
    emit('payment_intent.canceled', intent);
  }

  function refund(params: Params): FakeRefund {
    const intent = read(params.payment_intent!);
    if (intent.amount_received === 0) throw invalid('There is no successful charge to refund.');
    if (disputes.some((made) => made.payment_intent === intent.id && made.status !== 'won'))
      throw invalid('Charged back.', { code: 'charge_disputed' });
    const left = intent.amount_received - refundedOf(intent.id);
    const amount = Number(params.amount ?? left);
    if (amount > left) throw invalid('Greater than what is left.', { param: 'amount' });
    const status = intent.payment_method === 'pm_refund_pending' ? 'pending' : 'succeeded';
    const made: FakeRefund = {
      id: newId('re'),
      object: 'refund',
      amount,
      payment_intent: intent.id,
      status,
      metadata: metadataOf(params),
      created: now(),
    };
    refunds.unshift(made);
    showRefunds(intent);
    emit('refund.created', made);
    emit('charge.refunded', intent.latest_charge!);
    return made;
  }

  const refundedOf = (id: string) =>
    refunds
      .filter((made) => made.payment_intent === id && !['failed', 'canceled'].includes(made.status))
      .reduce((sum, { amount }) => sum + amount, 0);

  /** A charge shows its latest refunds. */
  function showRefunds(intent: FakeIntent): void {
    const all = refunds.filter((made) => made.payment_intent === intent.id);
    const data = all.slice(0, REFUNDS_OF_CHARGE);
    Object.assign(intent.latest_charge!.refunds, { data, has_more: data.length < all.length });
  }

  /** The bank decides on a refund. */
  function endRefund(id: string, status: 'succeeded' | 'failed' | 'canceled'): void {
    const made = refunds.find((refund) => refund.id === id)!;
    made.status = status;
    emit(status === 'failed' ? 'refund.failed' : 'refund.updated', made);
  }

  /** The authorisation of the rest, or of all, lapses. */
  function expire(id: string): void {
    const intent = read(id);
    if (intent.status !== 'requires_capture') throw unexpectedState(intent);
    const isCaptured = intent.amount_received > 0;
    Object.assign(intent, { status: isCaptured ? 'succeeded' : 'canceled', amount_capturable: 0 });
    if (!isCaptured) intent.cancellation_reason = 'automatic';
    emit(isCaptured ? 'charge.captured' : 'charge.expired', intent.latest_charge!);
    emit(`payment_intent.${isCaptured ? 'succeeded' : 'canceled'}`, intent);
  }

  function dispute(id: string, { amount, reason = 'fraudulent' }: { amount?: number; reason?: string } = {}) {
    const intent = read(id);
    const made: FakeDispute = {
      id: newId('dp'),
      object: 'dispute',
      amount: amount ?? intent.amount_received,
      currency: intent.currency,
      payment_intent: id,
      status: 'needs_response',
      reason,
      created: now(),
    };
    disputes.unshift(made);
    intent.latest_charge!.disputed = true;
    emit('charge.dispute.created', made);
    emit('charge.dispute.funds_withdrawn', made);
    return made;
  }

  function closeDispute(id: string, status: 'won' | 'lost'): void {
    const made = disputes.find((open) => open.id === id)!;
    made.status = status;
    if (status === 'won') emit('charge.dispute.funds_reinstated', made);
    emit('charge.dispute.closed', made);
  }

  const newestIntents = () => [...intents.values()].reverse();
  const lists: Record<string, (params: Params) => unknown> = {
    payment_intents: (params) => pageOf('payment_intents', newestIntents(), params),
    refunds: (params) => pageOf('refunds', refunds, params),
    disputes: (params) => pageOf('disputes', disputes, params),
  };
  const actions: Record<string, (intent: FakeIntent, params: Params) => void> = { confirm, capture, cancel };
  /** What happens at Stripe without a request of ours. */
  const elsewhere = {
    answer,
    tryAgain,
    capture: (id: string, amount?: number) =>
      capture(read(id), amount === undefined ? {} : { amount_to_capture: String(amount) }),
    refund: (id: string, amount?: number) =>
      refund({ payment_intent: id, ...(amount !== undefined && { amount: String(amount) }) }),
    cancel: (id: string) => cancel(read(id), {}),
    endRefund,
    expire,
    dispute,
    closeDispute,
  };
  return { intents, refunds, disputes, events, request, create, read, actions, refund, lists, elsewhere };
}

/** Returns a page, newest first, like every list of Stripe. */
function pageOf<T extends { id: string; created: number; payment_intent?: string }>(
  name: string,
  newestFirst: T[],
  { payment_intent, limit = '10', starting_after, ...params }: Params,
): FakeList<T> {
  const from = Number(params['created[gte]'] ?? 0);
  const to = Number(params['created[lt]'] ?? Infinity);
  const all = newestFirst.filter(
    (one) =>
      one.created >= from &&
      one.created < to &&
      (payment_intent === undefined || one.payment_intent === payment_intent),
  );
  const start = starting_after ? all.findIndex(({ id }) => id === starting_after) + 1 : 0;
  const data = all.slice(start, start + Number(limit));
  return { object: 'list', data, has_more: start + data.length < all.length, url: `/v1/${name}` };
}

function metadataOf(params: Params): Params {
  const entries = Object.entries(params).flatMap(([name, value]) => {
    const key = /^metadata\[(\w+)\]$/.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}
