// Prints a new JWK Set with one key for JWT_KEYS: `npm run jwt:key` (ES256), or `npm run jwt:key RS256` or
// HS256. To rotate, put the new key first and leave the old ones behind it until their tokens have expired.
import { generateKeyPairSync, randomBytes } from 'node:crypto';

const MAKE = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 3_072 }).privateKey.export({ format: 'jwk' }),
  HS256: () => ({ kty: 'oct', k: randomBytes(48).toString('base64url') }),
};

const [algorithm = 'ES256'] = process.argv.slice(2);
if (!Object.hasOwn(MAKE, algorithm)) {
  console.error(`There is no ${algorithm} here: choose ${Object.keys(MAKE).join(', ')}.`);
  process.exit(1);
}
const kid = `${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString('hex')}`;
console.log(JSON.stringify({ keys: [{ kid, alg: algorithm, use: 'sig', ...MAKE[algorithm]() }] }));
