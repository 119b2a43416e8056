import { PaymentDeclined, PaymentRefused, type Authorization } from '../../domain/payment';
import { toStripeAmount } from './amounts';
import { amountNotTaken, declineReasonOf, declineReasonOfError, unacceptable } from './declines';
import { isAnswer, isKeyReused, keyReused } from './errors';
import type { StripePayment, StripePaymentRepository } from './repository';
import type { Intent, StripeRequests } from './requests';
import { isCancelled, settle } from './settle';
import { standingOf } from './intents';

/**
 * Authorises in three steps: an unconfirmed PaymentIntent, which moves no money; its id tied to the key, for ever and
 * before it is confirmed; and only then its confirmation. So there is one PaymentIntent per key that can ever be
 * confirmed, it can be found however old it is, and a key can be closed before there is one.
 */
export function createStripeAuthorization(requests: StripeRequests, payments: StripePaymentRepository) {
  /** @returns an intent that is authorised, or captured by now @throws {PaymentDeclined} @throws {PaymentRefused} */
  async function authorize(authorization: Authorization): Promise<Intent> {
    const intent = await confirmed(await opened(authorization), authorization.key);
    const standing = standingOf(intent);
    if (standing === 'declined') return decline(intent, authorization.key, declineReasonOf(intent));
    if (standing === 'voided') throw closed(authorization);
    return intent;
  }

  /** The PaymentIntent of the key: a new one when the key is new. */
  async function opened(authorization: Authorization): Promise<Intent> {
    const known = await payments.find(authorization.key);
    if (known) return recorded(known, authorization);
    const created = await create(authorization);
    const claimed = await payments.claim(authorization.key, created.id);
    return claimed.reference === created.id ? created : recorded(claimed, authorization);
  }

  async function recorded(
    { reference, declineReason }: StripePayment,
    authorization: Authorization,
  ): Promise<Intent> {
    if (reference === null)
      throw declineReason === null ? closed(authorization) : new PaymentDeclined(declineReason);
    const intent = await requests.retrieve(reference);
    if (!isSame(intent, authorization)) throw keyReused();
    return declineReason === null ? intent : decline(intent, authorization.key, declineReason);
  }

  async function create(authorization: Authorization): Promise<Intent> {
    const amount = toStripeAmount(authorization.amount, authorization.currency);
    if (amount === undefined) throw new PaymentDeclined(amountNotTaken(authorization));
    try {
      return await requests.create(authorization, amount);
    } catch (error) {
      if (!isAnswer(error)) throw error;
      const reason = unacceptable(error, authorization);
      if (reason === undefined) throw isKeyReused(error) ? keyReused({ cause: error }) : error;
      await payments.decline(authorization.key, reason);
      throw new PaymentDeclined(reason, { cause: error });
    }
  }

  async function confirmed(intent: Intent, key: string): Promise<Intent> {
    if (standingOf(intent) !== 'unconfirmed') return intent;
    try {
      return await requests.confirm(intent.id, key);
    } catch (error) {
      if (!isAnswer(error)) throw error;
      const now = await requests.retrieve(intent.id);
      if (standingOf(now) !== 'unconfirmed') return now;
      return decline(now, key, declineReasonOfError(error)); // asked again, Stripe would say the same
    }
  }

  /** Remembers the reason, and closes the intent, so that nobody can confirm it any more. */
  async function decline(intent: Intent, key: string, reason: string): Promise<never> {
    await payments.decline(key, reason);
    await settle(requests, intent, isCancelled, (id) => requests.cancel(id, key, 'abandoned'));
    throw new PaymentDeclined(reason);
  }

  return authorize;
}

function isSame({ amount, currency, metadata }: Intent, asked: Authorization): boolean {
  return (
    metadata.orderId === asked.orderId &&
    metadata.paymentMethod === asked.paymentMethod &&
    currency === asked.currency.toLowerCase() &&
    amount === toStripeAmount(asked.amount, asked.currency)
  );
}

function closed({ key }: Authorization): PaymentRefused {
  return new PaymentRefused(`The payment ${key} was voided, so that it cannot be authorised any more.`);
}
