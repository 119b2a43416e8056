/** The digits and letters of Crockford's base 32, without those that look alike: https://www.crockford.com/base32.html */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = 10;

/** The parameters of FNV-1a with 64 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * Returns what people call the order: ten characters in two groups, such as `7K3DQ-9QXWM`. They are 50 bits of a hash of
 * its id, so no counter is needed.
 * @param taken how many numbers of this order turned out to belong to other orders
 */
export function orderNumberOf(orderId: string, taken = 0): string {
  // In front, since the hashes of two orders may be too much alike for anything behind to part them.
  const hash = hashOf(taken === 0 ? orderId : `${taken}/${orderId}`);
  const characters = Array.from(
    { length: CHARACTERS },
    (_, n) => ALPHABET[Number((hash >> BigInt(5 * n)) & 31n)],
  );
  return grouped(characters.join(''));
}

const NUMBER = new RegExp(`^[${ALPHABET}]{${CHARACTERS}}$`);

/**
 * Reads the number of an order as people write it: in upper or lower case, with or without the hyphen, and with letters
 * that look like digits. Returns null if it is none.
 */
export function parseOrderNumber(text: string): string | null {
  const characters = text.toUpperCase().replace('-', '').replace(/[IL]/g, '1').replaceAll('O', '0');
  return NUMBER.test(characters) ? grouped(characters) : null;
}

function grouped(characters: string): string {
  return `${characters.slice(0, 5)}-${characters.slice(5)}`;
}

function hashOf(text: string): bigint {
  let hash = OFFSET_BASIS;
  for (const character of text) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0)!)) * PRIME);
  }
  return hash >> 8n; // the lowest bits are the least mixed
}
