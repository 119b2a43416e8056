import { mongo } from 'mongoose';
import { createCutter, type Splitter } from './message';

/** Of the wire protocol: a header of four little-endian numbers, of which the first is the length of the message. */
const HEADER_BYTES = 16;
const OP_MSG = 2_013;
const OP_QUERY = 2_004;
/** After the header of an OP_MSG: its flags, and the kind of its first section, which is the command. */
const COMMAND_AT = HEADER_BYTES + 4 + 1;
/** So many requests are remembered until they are answered. */
const MOST_OUTSTANDING = 1_000;

export function createMongodbSplitter(): Splitter {
  const requests = createCutter(lengthOf);
  const replies = createCutter(lengthOf);
  const commands = new Map<number, string>();
  return {
    split(direction, chunk) {
      if (direction === 'request')
        return requests(chunk).map((bytes) => {
          const name = commandIn(bytes);
          if (commands.size < MOST_OUTSTANDING) commands.set(bytes.readInt32LE(4), name);
          return { bytes, label: name };
        });
      return replies(chunk).map((bytes) => {
        const answered = bytes.readInt32LE(8);
        // Only `hello` asks for several answers, of which the later ones answer no request.
        const name = commands.get(answered) ?? 'hello';
        commands.delete(answered);
        return { bytes, label: name };
      });
    },
  };
}

function lengthOf(buffer: Buffer): number | undefined {
  return buffer.length < 4 ? undefined : buffer.readInt32LE(0);
}

/** The type of a field that has a text. */
const TEXT = 2;

/**
 * Returns the name of a command, which is the name of the first field of its document, and the collection that it is
 * for, which is the value of that field if it is a text: `find orders`.
 */
function commandIn(message: Buffer): string {
  const opCode = message.readInt32LE(12);
  if (opCode === OP_QUERY) return 'hello';
  if (opCode !== OP_MSG) return `opcode ${opCode}`;
  const typeAt = COMMAND_AT + 4; // after the length of the document
  const nameEnd = message.indexOf(0, typeAt + 1);
  const name = message.toString('latin1', typeAt + 1, nameEnd);
  if (message[typeAt] !== TEXT) return name;
  const textAt = nameEnd + 1 + 4; // after the length of the text
  return `${name} ${message.toString('latin1', textAt, message.indexOf(0, textAt))}`;
}

/** What a connection says of itself in its first message. */
export interface Greeting {
  /** The `appName` of a driver's URI. */
  application?: string;
  /** The port of a server, which tells it to servers of the same set if test commands are enabled. */
  port?: number;
}

export function greetingIn(message: Buffer): Greeting {
  const opCode = message.readInt32LE(12);
  const documentAt =
    opCode === OP_QUERY ? message.indexOf(0, HEADER_BYTES + 4) + 1 + 8 : opCode === OP_MSG ? COMMAND_AT : 0;
  if (documentAt === 0) return {};
  const length = message.readInt32LE(documentAt);
  const hello = mongo.BSON.deserialize(message.subarray(documentAt, documentAt + length)) as {
    hostInfo?: string;
    client?: { application?: { name?: string } };
  };
  const port = /:(\d+)$/.exec(hello.hostInfo ?? '')?.[1];
  return {
    application: hello.client?.application?.name,
    port: port === undefined ? undefined : Number(port),
  };
}
