import { dictionary } from '@zxcvbn-ts/language-common';

/** About 49 000, in lower case. */
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** Whether the password is among those that people choose most: they are tried first. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(password.normalize('NFKC').toLowerCase());
}
