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
  const hash = hashOf(taken === 0 ? orderId : `${orderId}/${taken}`);
  const characters = Array.from(
    { length: CHARACTERS },
    (_, n) => ALPHABET[Number((hash >> BigInt(5 * n)) & 31n)],
  );
  return `${characters.slice(0, 5).join('')}-${characters.slice(5).join('')}`;
}

function hashOf(text: string): bigint {
  let hash = OFFSET_BASIS;
  for (const character of text) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0)!)) * PRIME);
  }
  return hash >> 8n; // the lowest bits are the least mixed
}
