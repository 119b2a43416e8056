/** Tells our requests from those of other programs, and of people in the Dashboard, on the same Stripe account. */
const PREFIX = 'orders-management-system';

/** The idempotency key of one request to Stripe. An operation may take several; each has a step. */
export function idempotencyKeyOf(operationKey: string, step: string): string {
  return `${PREFIX}/${operationKey}/${step}`;
}

/** Whether an event was caused by a request of ours. Null: by Stripe itself, such as a lapsed authorisation. */
export function isOurRequest(idempotencyKey: string | null | undefined): boolean {
  return idempotencyKey?.startsWith(`${PREFIX}/`) ?? false;
}
