import { domainToASCII, domainToUnicode } from 'node:url';
import { isBroken, refusedCharacter } from '../common/unicode';

/** Of ASCII only what domains are made of: `domainToASCII` reads an authority, with ports, paths and escapes. */
const DOMAIN = /^[A-Za-z0-9.\-\u0080-\u{10ffff}]+$/u;
const ASCII_DOMAIN = /^[a-z0-9.-]+$/;

/**
 * Returns the one spelling of an e-mail address that all others of the same mailbox have, or null if it has none. A domain
 * becomes the ASCII that mail servers and DNS know it by, which also shows when a letter only looks like another. What
 * stands before the @ is composed and in lower case: no mail service of today tells mailboxes apart by case.
 */
export function mailboxOf(address: string): string | null {
  const text = address.trim();
  const at = text.lastIndexOf('@');
  if (at < 1 || isBroken(text) || /\s/u.test(text) || refusedCharacter(text) !== undefined) return null;
  const domain = text.slice(at + 1);
  const ascii = DOMAIN.test(domain) ? domainToASCII(domain) : '';
  return ASCII_DOMAIN.test(ascii) && !hasUnreadableLabel(ascii)
    ? `${composedLowerCase(text.slice(0, at))}@${ascii}`
    : null;
}

/** Newer versions of Node.js leave a label as it is that stands for no text. */
function hasUnreadableLabel(ascii: string): boolean {
  return /(^|\.)xn--/.test(domainToUnicode(ascii));
}

/** Composed again, since the lower case of a composed text may be decomposed. */
function composedLowerCase(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC');
}
