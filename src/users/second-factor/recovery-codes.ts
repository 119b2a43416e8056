import { randomInt } from 'node:crypto';
import { sha256 } from '../../common/hash';

const COUNT = 10;
/** Without digits and letters that look alike: 16 of them are 80 random bits. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const GROUPS = 4;
const GROUP_LENGTH = 4;

/** What a recovery code looks like, such as `k3xq-v7mn-ab2c-zz5d`. */
export const RECOVERY_CODE = /^[a-z2-7]{4}(?:-[a-z2-7]{4}){3}$/;

export function newRecoveryCodes(): string[] {
  return Array.from({ length: COUNT }, newRecoveryCode);
}

function newRecoveryCode(): string {
  const group = () =>
    Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** Returns the hash that is stored. A code is random and long, so no slow hash is needed. */
export function hashRecoveryCode(code: string): string {
  return sha256(code);
}
