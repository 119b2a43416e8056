import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';

export type JwtAlgorithm = 'HS256' | 'RS256' | 'ES256';

/** A key that signs or verifies access tokens, with its own algorithm only. */
export interface JwtKey {
  /** Identifies the key in the header of a token. */
  kid: string;
  algorithm: JwtAlgorithm;
  verificationKey: KeyObject;
  /** Absent for a public key, which only verifies. */
  signingKey?: KeyObject;
}

/** The `kid` of JWT_SECRET, and of tokens that name none. */
export const SECRET_KID = 'secret';
export const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2_048;
const MAX_KEYS = 20;
const KID = /^[A-Za-z0-9._-]{1,64}$/;

/** Thrown for an invalid key; the message does not repeat the key. */
class JwtKeyError extends Error {}

const HEX = /^[0-9a-f]+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Returns the bytes that a text in hexadecimal or base64 stands for, or undefined for any other text. */
export function bytesOf(secret: string): Buffer | undefined {
  if (HEX.test(secret) && secret.length % 2 === 0) return Buffer.from(secret, 'hex');
  return BASE64.test(secret) && secret.length % 4 === 0 ? Buffer.from(secret, 'base64') : undefined;
}

export function secretKey(kid: string, secret: Buffer): JwtKey {
  const key = createSecretKey(secret);
  return { kid, algorithm: 'HS256', verificationKey: key, signingKey: key };
}

/**
 * Reads a JWK Set (RFC 7517). Its first key signs; all verify.
 * @throws {JwtKeyError}
 */
export function readJwkSet(text: string): JwtKey[] {
  const { keys } = parse(text);
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS)
    throw new JwtKeyError(`must be a JWK Set with 1 to ${MAX_KEYS} keys: {"keys":[…]}`);
  const read = keys.map(readJwk);
  if (new Set(read.map(({ kid }) => kid)).size < read.length)
    throw new JwtKeyError('has two keys with the same "kid"');
  if (!read[0]!.signingKey)
    throw new JwtKeyError(`has no private key in its first entry "${read[0]!.kid}", which has to sign`);
  return read;
}

function parse(text: string): { keys?: unknown } {
  try {
    return (JSON.parse(text) as { keys?: unknown } | null) ?? {};
  } catch {
    throw new JwtKeyError('must be a JWK Set in JSON: {"keys":[…]}');
  }
}

function readJwk(jwk: (JsonWebKey & { kid?: unknown }) | null): JwtKey {
  const { kid, kty } = jwk ?? {};
  if (typeof kid !== 'string' || !KID.test(kid) || kid === SECRET_KID)
    throw new JwtKeyError(
      `has a key whose "kid" is not a name of letters, digits, ".", "_" and "-" other than "${SECRET_KID}"`,
    );
  try {
    const key = kty === 'oct' ? readSecret(kid, jwk!) : readKeyPair(kid, jwk!);
    if (jwk!.alg !== undefined && jwk!.alg !== key.algorithm) throw new JwtKeyError('serves another "alg"');
    return key;
  } catch (error) {
    const reason = error instanceof JwtKeyError ? error.message : 'cannot be read';
    throw new JwtKeyError(`has a key "${kid}" that ${reason}`);
  }
}

function readSecret(kid: string, { k }: JsonWebKey): JwtKey {
  const secret = Buffer.from(typeof k === 'string' ? k : '', 'base64url');
  if (secret.length < MIN_SECRET_BYTES)
    throw new JwtKeyError(`is shorter than ${MIN_SECRET_BYTES} bytes: make one with "npm run jwt:key HS256"`);
  return secretKey(kid, secret);
}

function readKeyPair(kid: string, jwk: JsonWebKey): JwtKey {
  const verificationKey = createPublicKey({ key: jwk, format: 'jwk' });
  const signingKey = jwk.d === undefined ? undefined : createPrivateKey({ key: jwk, format: 'jwk' });
  return { kid, algorithm: algorithmOf(verificationKey), verificationKey, ...(signingKey && { signingKey }) };
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): JwtAlgorithm {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (asymmetricKeyType !== 'rsa') throw new JwtKeyError('is neither RSA nor EC on the curve P-256');
  if (modulusLength < MIN_RSA_BITS) throw new JwtKeyError(`is shorter than ${MIN_RSA_BITS} bits`);
  return 'RS256';
}
