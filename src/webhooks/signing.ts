import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** What the keys that encrypt secrets are derived for. */
export const SECRETS_PURPOSE = 'secrets of webhook endpoints';

const SECRET_BYTES = 32;

/** Creates a secret in the form that the libraries of receivers take. */
export function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** Returns the headers of Standard Webhooks: one signature for each secret, so that receivers may know any of them. */
export function signedHeaders(
  secrets: readonly string[],
  { id, body, at }: { id: string; body: string; at: Date },
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}
