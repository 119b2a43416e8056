import { dictionary } from '@zxcvbn-ts/language-common';
import { isDemoPassword } from './demo-password';
import { canonical } from './password';

/** About 49,000 passwords in lower case. */
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** Returns whether attackers try the password first: it is one of the most common ones, or published here. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(canonical(password).toLowerCase()) || isDemoPassword(password);
}
