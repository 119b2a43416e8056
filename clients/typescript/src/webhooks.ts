import type { Event, WebhookPing } from './api.generated.js';

/** Thrown for a request that is not proven to be from the shop: answer it with 400 or 401, and do nothing else. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
}

export interface WebhookRequest {
  /** The body exactly as it came: parsing and writing it again would change it. */
  body: string | Uint8Array;
  headers: Headers | Record<string, string | string[] | undefined>;
}

const TOLERANCE_SECONDS = 300;
const PREFIX = 'whsec_';
const VERSION = 'v1';

/**
 * Verifies a webhook by the Standard Webhooks specification, and returns its event. Keep the ids of the events that you
 * have handled: one may come again, with the same id.
 * @param secret that of the endpoint, `whsec_…`
 * @throws {WebhookVerificationError}
 */
export async function verifyWebhook(
  { body, headers }: WebhookRequest,
  secret: string,
  now = Date.now(),
): Promise<Event | WebhookPing> {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    headerOf(headers, name),
  );
  if (!id || !timestamp || !signatures)
    throw new WebhookVerificationError('webhook-id, webhook-timestamp or webhook-signature is missing.');
  const age = now / 1_000 - Number(timestamp);
  if (!/^\d+$/.test(timestamp) || Math.abs(age) > TOLERANCE_SECONDS)
    throw new WebhookVerificationError(
      'The request is older, or newer, than five minutes: check your clock.',
    );
  const known = decoded(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  if (!known)
    throw new WebhookVerificationError('The secret is not Base64: check that it is that of the endpoint.');
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', known, hmac, false, ['verify']);
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  for (const entry of signatures.split(' ')) {
    const [version, signature] = entry.split(',', 2);
    const bytes = version === VERSION && signature ? decoded(signature) : undefined;
    if (bytes && (await crypto.subtle.verify('HMAC', key, bytes, signed)))
      return JSON.parse(text) as Event | WebhookPing;
  }
  throw new WebhookVerificationError('No signature fits: check that the secret is that of this endpoint.');
}

function headerOf(headers: WebhookRequest['headers'], name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
}

/** Returns undefined for what is not Base64. */
function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
