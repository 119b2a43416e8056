import type { Logger } from 'pino';
import Stripe from 'stripe';
import { invalid } from '../../http/validate';
import type { PaymentEventRepository } from './events.repository';
import type { StripeEvent } from '../payments.schema';
import { isOurRequest } from './keys';
import type { StripePaymentRepository } from './repository';

const TOLERANCE_SECONDS = 300;
const AUTHORIZATION_ENDED = 'payment_intent.canceled';
const REFUNDED_ELSEWHERE = 'a payment was refunded outside of this system: the order does not show it';

/** What happens at Stripe and has to be looked at by a person. */
const WARNINGS: Readonly<Record<string, string>> = {
  'charge.dispute.created': 'a payment is disputed at the bank: answer it in the Stripe Dashboard',
  'charge.refunded': REFUNDED_ELSEWHERE,
  'refund.created': REFUNDED_ELSEWHERE,
  'refund.failed': 'a refund has failed at the bank: the customer has not got it, pay in another way',
};

export interface StripeWebhookDeps {
  /** The signing secret of the endpoint (`whsec_…`). */
  secret: string;
  events: PaymentEventRepository;
  payments: Pick<StripePaymentRepository, 'findKey'>;
  /**
   * Somebody else, or time, has ended the authorisation of that payment, or closed one that was never authorised.
   * Told again when it throws, and at times twice.
   */
  onAuthorizationEnded(orderId: string, paymentKey: string): Promise<void>;
}

export interface Delivery {
  /** The body as it came. */
  payload: string;
  signature: string;
  /** The body, parsed. */
  event: StripeEvent;
  log: Logger;
}

export interface StripeWebhookService {
  /** @throws {AppError} validation_failed: it was not signed by Stripe, or too long ago */
  receive(delivery: Delivery): Promise<void>;
}

/** Takes what Stripe tells. An event is handled first and noted as handled then: rather twice than never. */
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
    if (paymentKey === null) return; // of another program on the same Stripe account
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
      if (!isNews(event) || (await events.isHandled(event.id))) return;
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
      'is not the signature of this body, or too old: send what Stripe sends, and set STRIPE_WEBHOOK_SECRET to the secret of this endpoint';
    throw invalid([{ path: 'stripe-signature', message }]);
  }
}

/** Of what our own requests have caused we know already. */
function isNews({ type, request }: StripeEvent): boolean {
  const isKnown = type === AUTHORIZATION_ENDED || Object.hasOwn(WARNINGS, type);
  return isKnown && !isOurRequest(request?.idempotency_key);
}

function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'object' ? reference?.id : reference;
}
