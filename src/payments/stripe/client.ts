import Stripe from 'stripe';

/** An operation has 15 s. Most requests take well below one; a bank may take a few to authorise. */
const TIMEOUT_MS = 10_000;

/** The official client. Failed requests are for the workflow to repeat, where one sees it. */
export function createStripeClient(secretKey: string, options: Stripe.StripeConfig = {}): Stripe {
  return new Stripe(secretKey, { timeout: TIMEOUT_MS, maxNetworkRetries: 0, telemetry: false, ...options });
}
