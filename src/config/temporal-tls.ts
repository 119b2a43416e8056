import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import Joi, { type CustomHelpers } from 'joi';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EnvOf } from './section';

/** How to read each kind of PEM, and its name in messages, which never repeat the text: it may be a private key. */
const PEM = {
  certificate: { name: 'a certificate in PEM', read: (text: string) => new X509Certificate(text) },
  key: { name: 'a private key in PEM without a passphrase', read: (text: string) => createPrivateKey(text) },
};

function pemText(kind: keyof typeof PEM) {
  const { name, read } = PEM[kind];
  return Joi.string<string | undefined>()
    .custom((text: string, helpers: CustomHelpers) => (isReadBy(read, text) ? text : helpers.error('pem')))
    .messages({ pem: `{#label} is not ${name}` });
}

function pemFile(kind: keyof typeof PEM) {
  const { name, read } = PEM[kind];
  return Joi.string<string | undefined>()
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
      pem: `{#label} is {#value}, which is not ${name}`,
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

/** The names and meanings are those of Temporal's own tools. */
export const tlsVariables = {
  // Temporal's reader takes every other word for false and would send unencrypted what should be encrypted.
  TEMPORAL_TLS: Joi.string<'1' | 'true' | '0' | 'false' | undefined>()
    .valid('1', 'true', '0', 'false')
    .note('`false`')
    .example('true')
    .description('`true` encrypts the connection; so does each of the following variables'),
  TEMPORAL_API_KEY: Joi.string<string | undefined>()
    .pattern(/^[\x21-\x7e]+$/)
    .description('API key, for example of Temporal Cloud; never sent unencrypted')
    .messages({
      'string.pattern.base':
        '{#label} must be one word: copy it as Temporal gave it out, without a line break',
    }),
  TEMPORAL_TLS_SERVER_NAME: Joi.string<string | undefined>()
    .hostname()
    .note('host of the address')
    .example('temporal.example.com')
    .description("Name in the server's certificate"),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: pemFile('certificate')
    .note('public authorities')
    .example('/etc/temporal-tls/ca.crt')
    .description("PEM file of the authority that signed the server's certificate"),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: pemText('certificate').description(
    'Content of that file, instead of its path',
  ),
  TEMPORAL_TLS_CLIENT_CERT_PATH: pemFile('certificate')
    .example('/etc/temporal-tls/tls.crt')
    .description('PEM file of a client certificate, for mutual TLS'),
  TEMPORAL_TLS_CLIENT_CERT_DATA: pemText('certificate').description(
    'Content of that file, instead of its path',
  ),
  TEMPORAL_TLS_CLIENT_KEY_PATH: pemFile('key')
    .example('/etc/temporal-tls/tls.key')
    .description('PEM file of the private key of the client certificate, without a passphrase'),
  TEMPORAL_TLS_CLIENT_KEY_DATA: pemText('key').description('Content of that file, instead of its path'),
};

/** Empty if the connection is unencrypted. */
export interface TemporalSecurity {
  tls?: ConnectionOptions['tls'];
  apiKey?: string;
}

type TlsEnv = EnvOf<typeof tlsVariables>;
type Name = keyof TlsEnv;

const NAMES = Object.keys(tlsVariables) as Name[];

/** Returns what is wrong with the variables together, if anything; Temporal's reader would ignore what does not fit. */
export function tlsProblem(env: TlsEnv): string | undefined {
  const set = NAMES.filter((name) => env[name] !== undefined);
  const withoutEffect = set.find((name) => name !== 'TEMPORAL_TLS');
  if (withoutEffect && /^(0|false)$/.test(env.TEMPORAL_TLS ?? ''))
    return `TEMPORAL_TLS is ${env.TEMPORAL_TLS}, but ${withoutEffect} is set, which needs TLS: remove one or the other`;
  const dataOf = (name: Name) => name.replace(/_PATH$/, '_DATA') as Name;
  const setTwice = set.find((name) => name.endsWith('_PATH') && set.includes(dataOf(name)));
  if (setTwice) return `${setTwice} and ${dataOf(setTwice)} must not both be set`;
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

function isPair(certificate: Name, key: Name, env: TlsEnv): boolean {
  return new X509Certificate(textOf(certificate, env)).checkPrivateKey(createPrivateKey(textOf(key, env)));
}

function textOf(name: Name, env: TlsEnv): string {
  return name.endsWith('_PATH') ? readFileSync(env[name]!, 'utf8') : env[name]!;
}

/** Understands the variables as Temporal's own tools do: an API key or a certificate implies TLS. */
export function temporalSecurity(env: TlsEnv): TemporalSecurity {
  const own = Object.fromEntries(
    NAMES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const { connectionOptions } = loadClientConnectConfig({ disableFile: true, overrideEnvVars: own });
  return { tls: connectionOptions.tls, apiKey: connectionOptions.apiKey };
}
