import type { Logger } from 'pino';
import Stripe from 'stripe';
import { AppError } from '../../errors/app-error';
import { invalid } from '../../errors/invalid';
import type { LookAgain } from '../payment-provider';
import type { StripeEvent } from '../payments.schema';
import type { PaymentEventRepository } from './events.repository';
import type { StripePaymentRepository } from './repository';
import { idOf, isOurRequest } from './requests';

const TOLERANCE_SECONDS = 300;

/** After these, the order is brought in line with the payment. The events of a dispute are all that begin so. */
const RELEVANT: ReadonlySet<string> = new Set([
  'payment_intent.succeeded',
  'payment_intent.amount_capturable_updated',
  'payment_intent.payment_failed',
  'payment_intent.requires_action',
  'payment_intent.canceled',
  'payment_intent.partially_funded',
  'charge.captured',
  'charge.expired',
  'charge.refunded',
  'refund.created',
  'refund.updated',
  'refund.failed',
]);
const INTENT = 'payment_intent.';
const DISPUTE = 'charge.dispute.';

/** The log messages for events after which a person has to act, too. */
const WARNINGS: Readonly<Record<string, string>> = {
  'charge.dispute.created': 'a payment is disputed: respond in the Stripe Dashboard',
  'refund.failed':
    'a refund failed at the bank: the customer has not received it, refund again or pay another way',
};

export interface StripeWebhookDeps {
  /** The signing secret of the endpoint (`whsec_…`). */
  secret: string;
  events: PaymentEventRepository;
  payments: Pick<StripePaymentRepository, 'findByReference'>;
  lookAgain: LookAgain;
}

export interface Delivery {
  /** The unparsed body. */
  payload: string;
  signature: string;
  /** The parsed body. */
  event: StripeEvent;
  log: Logger;
}

export interface StripeWebhookService {
  /**
   * @throws {AppError} validation_failed: the signature is invalid or too old; service_unavailable: Stripe has to send the
   * event again
   */
  receive(delivery: Delivery): Promise<void>;
}

/**
 * Receives Stripe's events. None is believed: it only has the order looked at again. Each is recorded only after that, so
 * it is handled at least once.
 */
export function createStripeWebhookService({
  secret,
  events,
  payments,
  lookAgain,
}: StripeWebhookDeps): StripeWebhookService {
  async function handle({ id: eventId, type, data }: StripeEvent, log: Logger): Promise<void> {
    const object = data?.object;
    const paymentIntent = type.startsWith(INTENT) ? object?.id : idOf(object?.payment_intent);
    const payment = paymentIntent === undefined ? null : await payments.findByReference(paymentIntent);
    if (payment === null) return; // another program uses the same Stripe account
    const { key: paymentKey, orderId } = payment;
    if (WARNINGS[type])
      log.warn({ orderId, eventId, objectId: object?.id, paymentIntent, paymentKey }, WARNINGS[type]);
    const outcome = await lookAgain({ eventId, type, paymentKey, orderId });
    if (outcome === 'busy') throw busy();
  }

  return {
    async receive({ payload, signature, event, log }) {
      requireSignature(payload, signature, secret);
      if (!isRelevant(event) || (await events.isHandled(event.id))) return;
      await handle(event, log);
      await events.add(event);
    },
  };
}

/** @throws {AppError} */
function requireSignature(payload: string, signature: string, secret: string): void {
  try {
    Stripe.webhooks.signature!.verifyHeader(payload, signature, secret, TOLERANCE_SECONDS);
  } catch {
    const message =
      'is not a valid signature of this body, or is too old: forward the body unchanged, and set STRIPE_WEBHOOK_SECRET to the signing secret of this endpoint';
    throw invalid([{ path: 'stripe-signature', message }]);
  }
}

/** Events that our own requests have caused tell nothing new. */
function isRelevant({ type, request }: StripeEvent): boolean {
  return (RELEVANT.has(type) || type.startsWith(DISPUTE)) && !isOurRequest(request?.idempotency_key);
}

function busy(): AppError {
  const detail = 'The order of this payment is being placed or changed: send the event again in a moment.';
  return new AppError('service_unavailable', detail);
}
