import type { Logger } from 'pino';
import Stripe from 'stripe';
import { invalid } from '../../http/validate';
import type { StripeEvent } from '../payments.schema';
import type { PaymentEventRepository } from './events.repository';
import type { StripePaymentRepository } from './repository';
import { isOurRequest } from './requests';

const TOLERANCE_SECONDS = 300;
const AUTHORIZATION_ENDED = 'payment_intent.canceled';
const REFUNDED_ELSEWHERE = 'a payment was refunded outside of this system: the order does not show it';

/** The log messages for events that need a person's attention. */
const WARNINGS: Readonly<Record<string, string>> = {
  'charge.captured':
    'a payment was captured elsewhere, or what was left of its authorisation has expired: nothing more can be captured',
  'charge.dispute.created': 'a payment is disputed: respond in the Stripe Dashboard',
  'charge.refunded': REFUNDED_ELSEWHERE,
  'refund.created': REFUNDED_ELSEWHERE,
  'refund.failed': 'a refund failed at the bank: the customer has not received it, pay another way',
};

export interface StripeWebhookDeps {
  /** The signing secret of the endpoint (`whsec_…`). */
  secret: string;
  events: PaymentEventRepository;
  payments: Pick<StripePaymentRepository, 'findKey'>;
  /**
   * Called when the authorisation of a payment has expired, or was cancelled by another program or in the
   * Dashboard. It is called again if it throws, and occasionally twice.
   */
  onAuthorizationEnded(orderId: string, paymentKey: string): Promise<void>;
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
  /** @throws {AppError} validation_failed: the signature is invalid or too old */
  receive(delivery: Delivery): Promise<void>;
}

/** Receives Stripe's events. Each is recorded only after it has been handled: at-least-once processing. */
export function createStripeWebhookService({
  secret,
  events,
  payments,
  onAuthorizationEnded,
}: StripeWebhookDeps): StripeWebhookService {
  async function handle(event: StripeEvent, log: Logger): Promise<void> {
    const object = event.data?.object;
    const paymentIntent = event.type === AUTHORIZATION_ENDED ? object?.id : idOf(object?.payment_intent);
    const paymentKey = paymentIntent === undefined ? null : await payments.findKey(paymentIntent);
    if (paymentKey === null) return; // another program uses the same Stripe account
    if (event.type !== AUTHORIZATION_ENDED) {
      log.warn({ eventId: event.id, objectId: object?.id, paymentIntent, paymentKey }, WARNINGS[event.type]);
      return;
    }
    const orderId = object?.metadata?.orderId;
    if (orderId !== undefined) await onAuthorizationEnded(orderId, paymentKey);
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
  const isKnown = type === AUTHORIZATION_ENDED || Object.hasOwn(WARNINGS, type);
  return isKnown && !isOurRequest(request?.idempotency_key);
}

function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'object' ? reference?.id : reference;
}
