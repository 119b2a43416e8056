import { CUSTOMER_ABSENT, type Authorization, type PaymentRef } from '../../domain/payment';
import { PaymentDeclined, PaymentRefused } from '../../domain/errors';
import { amountNotAccepted, toStripeAmount } from '../amounts';
import { declineReasonOf, declineReasonOfError, notAccepted } from './declines';
import { isFinalError, isKeyReused, keyReused } from './errors';
import { ensureDone, isCancelled, statusOf } from './intents';
import type { StripePayment, StripePaymentRepository } from './repository';
import type { Intent, StripeRequests } from './requests';

/**
 * Authorises in three steps: it creates an unconfirmed PaymentIntent, which moves no money; it ties the id of
 * the intent to the key permanently; and only then it confirms the intent. So only one PaymentIntent per key
 * can ever be confirmed, it can be found at any age, and a key can be closed before its intent exists.
 */
export function createStripeAuthorization(requests: StripeRequests, payments: StripePaymentRepository) {
  /**
   * @returns the intent, which is authorised, captured or waiting for its customer
   * @throws {PaymentDeclined} @throws {PaymentRefused}
   */
  async function authorize(authorization: Authorization): Promise<Intent> {
    const intent = await confirm(await open(authorization), authorization);
    const status = statusOf(intent);
    if (status === 'declined') return decline(intent, authorization, declineReasonOf(intent));
    if (status === 'action_required' && !authorization.isOnSession)
      return decline(intent, authorization, CUSTOMER_ABSENT);
    if (status === 'voided') throw closed(authorization);
    return intent;
  }

  /** Returns the PaymentIntent of the key, and creates it if the key is new. */
  async function open(authorization: Authorization): Promise<Intent> {
    const known = await payments.find(authorization.key);
    if (known) return retrieve(known, authorization);
    const created = await create(authorization);
    const claimed = await payments.claim(authorization, created.id);
    return claimed.reference === created.id ? created : retrieve(claimed, authorization);
  }

  async function retrieve(
    { reference, declineReason }: StripePayment,
    authorization: Authorization,
  ): Promise<Intent> {
    if (reference === null)
      throw declineReason === null ? closed(authorization) : new PaymentDeclined(declineReason);
    const intent = await requests.retrieve(reference);
    if (!isSame(intent, authorization)) throw keyReused();
    return declineReason === null ? intent : decline(intent, authorization, declineReason);
  }

  async function create(authorization: Authorization): Promise<Intent> {
    const amount = toStripeAmount(authorization.amount, authorization.currency);
    if (amount === undefined) throw new PaymentDeclined(amountNotAccepted(authorization));
    try {
      return await requests.create(authorization, amount);
    } catch (error) {
      if (!isFinalError(error)) throw error;
      const reason = notAccepted(error, authorization);
      if (reason === undefined) throw isKeyReused(error) ? keyReused({ cause: error }) : error;
      await payments.decline(authorization, reason);
      throw new PaymentDeclined(reason, { cause: error });
    }
  }

  async function confirm(intent: Intent, authorization: Authorization): Promise<Intent> {
    if (statusOf(intent) !== 'unconfirmed') return intent;
    try {
      return await requests.confirm(intent.id, authorization);
    } catch (error) {
      if (!isFinalError(error)) throw error;
      const current = await requests.retrieve(intent.id);
      if (statusOf(current) !== 'unconfirmed') return current;
      return decline(current, authorization, declineReasonOfError(error)); // a repeat would give the same error
    }
  }

  async function decline(intent: Intent, authorization: Authorization, reason: string): Promise<never> {
    await close(intent, authorization, reason);
    throw new PaymentDeclined(reason);
  }

  /**
   * Records the reason and cancels the intent, so that it can no longer be confirmed: not by us, and not by the customer,
   * who could try another card.
   */
  async function close(
    intent: Intent,
    payment: Pick<PaymentRef, 'key' | 'orderId'>,
    reason: string,
  ): Promise<Intent> {
    await payments.decline(payment, reason);
    return ensureDone(requests, intent, isCancelled, (id) => requests.cancel(id, payment.key, 'abandoned'));
  }

  return { authorize, close };
}

function isSame({ amount, currency, metadata }: Intent, requested: Authorization): boolean {
  return (
    metadata.orderId === requested.orderId &&
    metadata.paymentMethod === requested.paymentMethod &&
    currency === requested.currency.toLowerCase() &&
    amount === toStripeAmount(requested.amount, requested.currency)
  );
}

function closed({ key }: Authorization): PaymentRefused {
  return new PaymentRefused(`The payment ${key} was voided and can no longer be authorised.`);
}
