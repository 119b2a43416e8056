import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { PayloadKey } from '../config/payload-keys';

const { Payload: PayloadMessage } = temporal.api.common.v1;

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** The same as in Temporal's own samples of encryption, so that its tools recognise the payloads. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/** Thrown for an encrypted payload that the keys of this process do not open. */
export class UndecodablePayload extends Error {
  override readonly name = 'UndecodablePayload';
}

/**
 * Encrypts everything that Temporal stores with the first key, and decrypts with the key that a payload
 * names. Without keys everything is stored unencrypted. Unencrypted payloads are always read, so that orders
 * continue when keys are introduced. An encrypted payload without its key is an error: the task that needs it
 * fails until a process with the key gets it.
 *
 * The id of the key is not authenticated, so that the format stays the one of the samples. With another id
 * the payload would be opened with another key, which fails anyway. The ids of the workflow are not
 * authenticated either, because the codec server does not learn them.
 */
export function createPayloadCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const [first] = keys;
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    encode: async (payloads) => (first ? payloads.map((payload) => encrypt(payload, first)) : payloads),
    decode: async (payloads) =>
      payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, byId) : payload)),
  };
}

function encrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv);
  const text = [cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()];
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([iv, ...text, cipher.getAuthTag()]),
  };
}

/** @throws {UndecodablePayload} */
function decrypt(payload: Payload, keys: ReadonlyMap<string, PayloadKey>): Payload {
  const id = textOf(payload, KEY_ID);
  const found = keys.get(id);
  if (!found) {
    throw new UndecodablePayload(
      `A payload is encrypted with the key ${JSON.stringify(id)}, which this process does not have: ` +
        'add it to PAYLOAD_KEYS and start the process again.',
    );
  }
  try {
    return PayloadMessage.decode(open(Buffer.from(payload.data ?? []), found));
  } catch (cause) {
    throw new UndecodablePayload(
      `A payload cannot be decrypted with the key ${JSON.stringify(id)}: it was changed, or PAYLOAD_KEYS has ` +
        'another key under this id. Compare PAYLOAD_KEYS with the process that wrote it.',
      { cause },
    );
  }
}

function open(data: Buffer, { key }: PayloadKey): Buffer {
  const end = data.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, data.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(data.subarray(end));
  return Buffer.concat([decipher.update(data.subarray(IV_BYTES, end)), decipher.final()]);
}

function isEncrypted(payload: Payload): boolean {
  return textOf(payload, 'encoding') === ENCODING;
}

function textOf({ metadata }: Payload, name: string): string {
  return Buffer.from(metadata?.[name] ?? []).toString();
}
