import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import Joi, { type CustomHelpers } from 'joi';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Named as Temporal's own tools have them; a file or its content. */
export interface TemporalConnectionEnv {
  TEMPORAL_API_KEY?: string;
  TEMPORAL_TLS?: '1' | 'true' | '0' | 'false';
  TEMPORAL_TLS_SERVER_NAME?: string;
  TEMPORAL_TLS_SERVER_CA_CERT_PATH?: string;
  TEMPORAL_TLS_SERVER_CA_CERT_DATA?: string;
  TEMPORAL_TLS_CLIENT_CERT_PATH?: string;
  TEMPORAL_TLS_CLIENT_CERT_DATA?: string;
  TEMPORAL_TLS_CLIENT_KEY_PATH?: string;
  TEMPORAL_TLS_CLIENT_KEY_DATA?: string;
}

type Name = keyof TemporalConnectionEnv;
export interface TemporalSecurity {
  tls?: ConnectionOptions['tls'];
  apiKey?: string;
}

/** What there is to say about a text that should be one of these; it may be a private key, and is never repeated. */
const PEM = {
  certificate: { what: 'a certificate in PEM', read: (text: string) => new X509Certificate(text) },
  key: { what: 'a private key in PEM without a passphrase', read: (text: string) => createPrivateKey(text) },
};

function content(kind: keyof typeof PEM) {
  const { what, read } = PEM[kind];
  return Joi.string()
    .custom((text: string, helpers: CustomHelpers) => (isReadBy(read, text) ? text : helpers.error('pem')))
    .messages({ pem: `{#label} is not ${what}` });
}

function file(kind: keyof typeof PEM) {
  const { what, read } = PEM[kind];
  return Joi.string()
    .custom((path: string, helpers: CustomHelpers) => {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch (error) {
        return helpers.error('file', { code: (error as NodeJS.ErrnoException).code });
      }
      return isReadBy(read, text) ? path : helpers.error('pem');
    })
    .messages({
      file: '{#label} is {#value}, a file that cannot be read ({#code})',
      pem: `{#label} is {#value}, which is not ${what}`,
    });
}

function isReadBy(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text);
    return true;
  } catch {
    return false;
  }
}

export const temporalConnection = {
  TEMPORAL_API_KEY: Joi.string()
    .pattern(/^[\x21-\x7e]+$/)
    .messages({
      'string.pattern.base':
        '{#label} must be one word: copy it as Temporal gave it out, without a line break',
    }),
  // Others would count as "false" for Temporal's own reader, and what should be encrypted be sent in clear.
  TEMPORAL_TLS: Joi.string().valid('1', 'true', '0', 'false'),
  TEMPORAL_TLS_SERVER_NAME: Joi.string().hostname(),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('certificate'),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: content('certificate'),
  TEMPORAL_TLS_CLIENT_CERT_PATH: file('certificate'),
  TEMPORAL_TLS_CLIENT_CERT_DATA: content('certificate'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: file('key'),
  TEMPORAL_TLS_CLIENT_KEY_DATA: content('key'),
} satisfies Record<Name, Joi.Schema>;

const NAMES = Object.keys(temporalConnection) as Name[];

/** What is wrong with the variables together, if anything; Temporal's own reader would leave out what does not fit. */
export function temporalConnectionProblem(env: TemporalConnectionEnv): string | undefined {
  const set = NAMES.filter((name) => env[name] !== undefined);
  const inVain = set.find((name) => name !== 'TEMPORAL_TLS');
  if (inVain && /^(0|false)$/.test(env.TEMPORAL_TLS ?? ''))
    return `TEMPORAL_TLS is ${env.TEMPORAL_TLS}, but ${inVain} is set, which needs TLS: remove one or the other`;
  const dataOf = (name: Name) => name.replace(/_PATH$/, '_DATA') as Name;
  const twice = set.find((name) => name.endsWith('_PATH') && set.includes(dataOf(name)));
  if (twice) return `${twice} and ${dataOf(twice)} must not both be set`;
  const [certificate, key] = ['CLIENT_CERT', 'CLIENT_KEY'].map((part) =>
    set.find((name) => name.includes(part)),
  );
  if (certificate && !key)
    return `${certificate} is set without TEMPORAL_TLS_CLIENT_KEY_PATH, its private key`;
  if (key && !certificate) return `${key} is set without TEMPORAL_TLS_CLIENT_CERT_PATH, its certificate`;
  return certificate && key && !isPair(certificate, key, env)
    ? `${key} is not the private key of ${certificate}`
    : undefined;
}

function isPair(certificate: Name, key: Name, env: TemporalConnectionEnv): boolean {
  return new X509Certificate(textOf(certificate, env)).checkPrivateKey(createPrivateKey(textOf(key, env)));
}

function textOf(name: Name, env: TemporalConnectionEnv): string {
  return name.endsWith('_PATH') ? readFileSync(env[name]!, 'utf8') : env[name]!;
}

/** As Temporal's own tools understand the variables: an API key or a certificate means TLS. */
export function temporalSecurity(env: TemporalConnectionEnv): TemporalSecurity {
  const own = Object.fromEntries(
    NAMES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const { connectionOptions } = loadClientConnectConfig({ disableFile: true, overrideEnvVars: own });
  return { tls: connectionOptions.tls, apiKey: connectionOptions.apiKey };
}
