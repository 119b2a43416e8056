import type { Payload, PayloadCodec } from '@temporalio/common';
import type { Config } from '../../config';
import { AppError } from '../../errors/app-error';
import { route, type Route } from '../../http/route';
import { Role } from '../../role/role';
import type { ReportSecurityEvent } from '../../security/security-events';
import type { RevokedTokens } from '../../users/sessions/revoked-tokens';
import { createPayloadCodec, UndecodablePayload, type CustomerKeys } from '../payload-codec';
import { payloads as schema, type JsonPayload } from './codec.schema';
import { createCodecSessions, identifyByCookie, sessionCookie, type CodecSessions } from './session';

const TAG = 'Temporal';
/** Temporal accepts up to 2 MB of payloads at a time; in base64 that is a third more. */
const BODY_LIMIT = '4mb';
/** Some five for each payload. */
const MAX_VALUES = 100_000;

type CodecConfig = Pick<Config, 'env' | 'http' | 'jwt' | 'payloadKeys' | 'temporal'>;

/** Temporal's "codec server": lets its UI and its command line show encrypted payloads to an ADMIN. */
export function codecRoutes(
  config: CodecConfig,
  revokedTokens: Pick<RevokedTokens, 'has'>,
  report: ReportSecurityEvent,
  customerKeys?: CustomerKeys,
): Route[] {
  const codec = createPayloadCodec(config.payloadKeys, customerKeys);
  const sessions = createCodecSessions(config.payloadKeys);
  const identify = { by: identifyByCookie(config, sessions, revokedTokens), scheme: 'codecCookie' } as const;
  return [
    { ...codingRoute('decode', codec, { config, report }), identify },
    codingRoute('encode', codec, { config, report }),
    sessionRoute(config, sessions),
  ];
}

const SUMMARIES = {
  decode: 'Decrypt payloads, for the Temporal UI and its command line',
  encode: 'Encrypt payloads, for the Temporal UI and its command line',
};

function codingRoute(
  operation: keyof typeof SUMMARIES,
  codec: PayloadCodec,
  { config, report }: { config: CodecConfig; report: ReportSecurityEvent },
): Route {
  return route({
    method: 'post',
    path: `/codec/${operation}`,
    role: Role.ADMIN,
    ignoresOtherQuery: true, // the UI adds some, for example preserveStorageRefs
    operationId: `${operation}Payloads`,
    summary: SUMMARIES[operation],
    description:
      "Temporal's protocol for remote codecs. To decode, pages of the Temporal UI may send the cookie of " +
      '`POST /codec/session` instead of an access token. 404 if `PAYLOAD_KEYS` is not set.',
    tag: TAG,
    body: schema,
    bodyLimit: BODY_LIMIT,
    maxValues: MAX_VALUES,
    responses: { 200: { description: 'The same payloads, in the same order', data: schema, raw: true } },
    errors: ['not_found'],
    async handler(ctx, { body, principal }) {
      requireKeys(config);
      const coded = await codec[operation](body.payloads.map(fromJson)).catch(asProblem);
      report('codec_used', { userId: principal.id, operation, payloads: coded.length }, ctx.ip);
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { payloads: coded.map(toJson) };
    },
  });
}

function sessionRoute(config: CodecConfig, sessions: CodecSessions): Route {
  return route({
    method: 'post',
    path: '/codec/session',
    role: Role.ADMIN,
    operationId: 'openCodecSession',
    summary: 'Let the Temporal UI in this browser decrypt payloads',
    description:
      'Sets a cookie that is valid as long as the access token, for the codec routes and from pages of the Temporal UI ' +
      'only. 404 if `PAYLOAD_KEYS` is not set.',
    tag: TAG,
    responses: { 204: { description: 'The cookie is set', headers: { 'Set-Cookie': 'The session' } } },
    errors: ['not_found'],
    handler(ctx, { principal }) {
      requireKeys(config);
      const seconds = principal.expiresAt - Math.floor(Date.now() / 1_000);
      ctx.set('Set-Cookie', sessionCookie(sessions.mint(principal), config, seconds));
      ctx.status = 204;
    },
  });
}

function requireKeys({ payloadKeys }: CodecConfig): void {
  if (payloadKeys.length > 0) return;
  throw new AppError(
    'not_found',
    'Payloads are not encrypted: set PAYLOAD_KEYS for the API and the workers, then restart them.',
  );
}

function asProblem(error: unknown): never {
  if (!(error instanceof UndecodablePayload)) throw error;
  throw new AppError('validation_failed', error.message, { cause: error });
}

function fromJson({ metadata = {}, data = '' }: JsonPayload): Payload {
  return { metadata: mapValues(metadata, bytesOf), data: bytesOf(data) };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  return { metadata: mapValues(metadata ?? {}, base64Of), data: base64Of(data ?? new Uint8Array()) };
}

function mapValues<A, B>(record: Record<string, A>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64'); // accepts both alphabets
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
