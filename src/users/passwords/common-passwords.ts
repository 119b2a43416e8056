import { dictionary } from '@zxcvbn-ts/language-common';

/** About 49,000 passwords in lower case. */
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** Returns whether the password is one of the most common ones, which attackers try first. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(password.normalize('NFKC').toLowerCase());
}
