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
  latest_charge: FakeCharge | null;
  payment_method_options: { card?: { request_multicapture: string } };
}

interface FakeCharge {
  id: string;
  object: 'charge';
  status: string;
  payment_method_details: { card: { multicapture: { status: string } } };
}

export interface FakeRefund {
  id: string;
  object: 'refund';
  amount: number;
  payment_intent: string;
  status: string;
  metadata: Params;
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

const DECLINED: Record<string, string> = {
  pm_card_chargeDeclined: 'Your card was declined.',
  pm_card_authenticationRequired: 'Your card was declined. This transaction requires authentication.',
};
const MAX_METADATA = 50;
const CANCELABLE = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'requires_capture',
];

/** PaymentIntents and refunds in memory, with the states that Stripe documents for the requests we send. */
export function createFakeState() {
  const intents = new Map<string, FakeIntent>();
  const refunds: FakeRefund[] = [];
  const newId = (prefix: string) => `${prefix}_${newKey()}`;

  function create(params: Params): FakeIntent {
    if (params.payment_method === 'pm_missing')
      throw invalid('No such PaymentMethod', { code: 'resource_missing', param: 'payment_method' }, false);
    if (params.payment_method === 'pm_misconfigured') throw invalid('Not activated.', {}, false);
    if (Number(params.amount) < 50)
      throw invalid('Amount must be at least 50', { code: 'amount_too_small', param: 'amount' }, false);
    const requested = params['payment_method_options[card][request_multicapture]'];
    const intent: FakeIntent = {
      id: newId('pi'),
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
    else if (method === 'pm_requires_action') intent.status = 'requires_action';
    else if (
      method in DECLINED &&
      (method !== 'pm_card_authenticationRequired' || params.error_on_requires_action)
    )
      fail(intent, DECLINED[method]!);
    else
      Object.assign(intent, {
        status: 'requires_capture',
        amount_capturable: intent.amount,
        latest_charge: charge(intent, 'succeeded'),
      });
  }

  function fail(intent: FakeIntent, message: string): never {
    const error = { type: 'card_error', code: 'card_declined', message };
    const status = 'requires_payment_method';
    Object.assign(intent, {
      status,
      payment_method: null,
      last_payment_error: error,
      latest_charge: charge(intent, 'failed'),
    });
    throw new FakeError(402, error);
  }

  function charge({ payment_method, payment_method_options }: FakeIntent, status: string): FakeCharge {
    const isRequested = payment_method_options.card?.request_multicapture === 'if_available';
    const isSupported = payment_method !== 'pm_card_credit_disableEnterpriseCardFeatures';
    const multicapture = { status: isRequested && isSupported ? 'available' : 'unavailable' };
    return { id: newId('ch'), object: 'charge', status, payment_method_details: { card: { multicapture } } };
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
  }

  function cancel(intent: FakeIntent, params: Params): void {
    if (!CANCELABLE.includes(intent.status)) throw unexpectedState(intent);
    const cancellation_reason = params.cancellation_reason ?? null;
    const amount_capturable = 0;
    Object.assign(intent, {
      status: 'canceled',
      amount_capturable,
      cancellation_reason,
      last_payment_error: null,
    });
  }

  function refund(params: Params): FakeRefund {
    const intent = read(params.payment_intent!);
    if (intent.amount_received === 0) throw invalid('There is no successful charge to refund.');
    if (intent.payment_method === 'pm_disputed') throw invalid('Charged back.', { code: 'charge_disputed' });
    const left = intent.amount_received - refundedOf(intent.id);
    if (Number(params.amount) > left) throw invalid('Greater than what is left.', { param: 'amount' });
    const status = intent.payment_method === 'pm_refund_pending' ? 'pending' : 'succeeded';
    const made: FakeRefund = {
      id: newId('re'),
      object: 'refund',
      amount: Number(params.amount),
      payment_intent: intent.id,
      status,
      metadata: metadataOf(params),
    };
    refunds.unshift(made);
    return made;
  }

  const refundedOf = (id: string) =>
    refunds
      .filter((made) => made.payment_intent === id && !['failed', 'canceled'].includes(made.status))
      .reduce((sum, { amount }) => sum + amount, 0);

  /** Returns a page of refunds, newest first, like every list of Stripe. */
  function listRefunds({ payment_intent, limit = '10', starting_after }: Params) {
    const all = refunds.filter((made) => made.payment_intent === payment_intent);
    const start = starting_after ? all.findIndex(({ id }) => id === starting_after) + 1 : 0;
    const data = all.slice(start, start + Number(limit));
    return { object: 'list', data, has_more: start + data.length < all.length, url: '/v1/refunds' };
  }

  const actions: Record<string, (intent: FakeIntent, params: Params) => void> = { confirm, capture, cancel };
  return { intents, refunds, create, read, actions, refund, listRefunds };
}

function metadataOf(params: Params): Params {
  const entries = Object.entries(params).flatMap(([name, value]) => {
    const key = /^metadata\[(\w+)\]$/.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}
