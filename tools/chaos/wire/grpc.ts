import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { createCutter, type Splitter } from './message';

/** Of HTTP/2 (RFC 9113): what a client sends first, and the header of each frame. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;

/**
 * Splits into frames. The first frame of headers that a server sends on a stream begins a reply, which has the name of
 * the RPC.
 */
export function createGrpcSplitter(): Splitter {
  const names = createNames();
  const [requests, replies] = [createCutter(partLength), createCutter(partLength)];
  const begun = new Set<number>();
  return {
    split(direction, chunk) {
      if (direction === 'request')
        return requests(chunk).map((bytes) => {
          if (isPreface(bytes) || isForNames(bytes)) names.read(bytes);
          const isCall = !isPreface(bytes) && typeOf(bytes) === HEADERS;
          return { bytes, ...(isCall && { label: 'call' }) }; // its name is not known yet
        });
      return replies(chunk).map((bytes) => {
        const stream = streamOf(bytes);
        if (typeOf(bytes) !== HEADERS || begun.delete(stream)) return { bytes }; // not, or only its trailers
        if (!isLast(bytes)) begun.add(stream);
        return { bytes, label: names.take(stream) };
      });
    },
    close: () => names.close(),
  };
}

/** No frame is as long as the preface would be if it were one. */
const isPreface = (part: Buffer): boolean => part.subarray(0, 3).equals(PREFACE.subarray(0, 3));

function partLength(buffer: Buffer): number | undefined {
  if (buffer.length < FRAME_HEADER_BYTES) return undefined;
  return isPreface(buffer) ? PREFACE.length : FRAME_HEADER_BYTES + buffer.readUIntBE(0, 3);
}

/** Acknowledgements are left out: they are meant for the server that has asked for them. */
const isForNames = (frame: Buffer): boolean =>
  typeOf(frame) === HEADERS ||
  typeOf(frame) === CONTINUATION ||
  (typeOf(frame) === SETTINGS && (frame[4]! & constants.NGHTTP2_FLAG_ACK) === 0);

const typeOf = (frame: Buffer): number => frame[3]!;
const streamOf = (frame: Buffer): number => frame.readUInt32BE(5) & 0x7fffffff;
const isLast = (frame: Buffer): boolean => (frame[4]! & constants.NGHTTP2_FLAG_END_STREAM) !== 0;

/**
 * Finds out which RPC a stream is. Headers are compressed with a table that the whole connection builds, so they are
 * read by a server's session of Node.js that gets a copy of them, and whose answers nobody gets.
 */
function createNames() {
  const paths = new Map<number, string>();
  const copy = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const session = performServerHandshake(copy);
  session.on('error', () => undefined);
  session.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    paths.set(stream.id!, headers[':path']!.replace(/^.*\//, ''));
    stream.close();
  });
  return {
    read: (bytes: Buffer): void => void copy.push(bytes),
    take(stream: number): string {
      const path = paths.get(stream);
      paths.delete(stream);
      return path ?? 'unnamed';
    },
    close(): void {
      session.destroy();
      copy.destroy();
    },
  };
}
