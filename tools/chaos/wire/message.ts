export type Direction = 'request' | 'reply';

/** What passes a proxy at once: a whole message of MongoDB, a frame of HTTP/2, or whatever bytes have come. */
export interface Message {
  bytes: Buffer;
  /**
   * What it is, by the name of the command or the RPC; undefined if it is only a part of a message, or belongs to the
   * connection itself.
   */
  label?: string;
}

/** Splits the bytes of one connection into messages. What is not whole yet is kept for the next call. */
export interface Splitter {
  split(direction: Direction, chunk: Buffer): Message[];
  close?(): void;
}

export type Wire = 'mongodb' | 'grpc' | 'bytes';

/** Joins what is left of the last chunk and the next one, and takes whole parts off it. */
export function createCutter(lengthOf: (buffer: Buffer) => number | undefined) {
  let left: Buffer = Buffer.alloc(0);
  return (chunk: Buffer): Buffer[] => {
    left = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    const parts: Buffer[] = [];
    for (;;) {
      const length = lengthOf(left);
      if (length === undefined || left.length < length) return parts;
      parts.push(left.subarray(0, length));
      left = left.subarray(length);
    }
  };
}

export const bytesSplitter = (): Splitter => ({
  split: (direction, bytes) => [{ bytes, label: direction }],
});
