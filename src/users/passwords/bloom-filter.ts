import { createHash } from 'node:crypto';

/**
 * A set that knows what was added to it, and takes one of a great many other texts for a member as well (Bloom, 1970): it
 * needs two and a half bytes for each text, however long.
 */
export interface BloomFilter {
  add(text: string): void;
  has(text: string): boolean;
}

/** With twenty bits for each text, one of 15,000 others passes for a member. */
export const BITS_PER_TEXT = 20;
const HASHES = 14;

/** @param bytes all zero for an empty set */
export function createBloomFilter(bytes: Uint8Array): BloomFilter {
  const bits = bytes.length * 8;

  function positionsOf(text: string): number[] {
    const digest = createHash('sha256').update(text).digest();
    const first = digest.readUInt32LE(0);
    const step = digest.readUInt32LE(4);
    return Array.from({ length: HASHES }, (_, n) => (first + n * step) % bits);
  }

  return {
    add(text) {
      for (const position of positionsOf(text)) bytes[position >> 3]! |= 1 << (position & 7);
    },
    has: (text) => positionsOf(text).every((position) => bytes[position >> 3]! & (1 << (position & 7))),
  };
}
