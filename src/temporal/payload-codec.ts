import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { KeyObject } from 'node:crypto';
import type { PayloadKey } from '../config/payload-keys';
import { OWNER_DIGITS } from '../domain/order-id';
import { seal, unseal } from './encryption';

const { Payload: PayloadMessage } = temporal.api.common.v1;

/** The same as in Temporal's own samples of encryption, so that its tools recognise the payloads. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/** Thrown for an encrypted payload that the keys of this process do not open. */
export class UndecodablePayload extends Error {
  override readonly name = 'UndecodablePayload';
}

/** The data keys of customers, each named by what the ids of the customer's orders end with. */
export interface CustomerKeys {
  /** Returns null if the key was retired or destroyed, or is not to be had now: PAYLOAD_KEYS encrypt then. */
  toEncrypt(owner: string): Promise<KeyObject | null>;
  /** @throws {UndecodablePayload} the key was destroyed, or lacks the one that it is encrypted with */
  toDecrypt(owner: string): Promise<KeyObject>;
}

/** What the ids of data keys begin with: no id in PAYLOAD_KEYS has a slash. */
const CUSTOMER = 'cus/';

/** The workflows of an order, see `orderWorkflowId`; it ends with what tells whose the order is. */
const OF_CUSTOMER = new RegExp(`^(?:closed-)?order-ord_[0-9a-f]+([0-9a-f]{${OWNER_DIGITS}})$`);

/**
 * Encrypts everything that Temporal stores: what belongs to an order with the data key of its customer, so that it cannot be
 * read any more once that is destroyed, and all else with the first key of PAYLOAD_KEYS. Decrypts with the key that a
 * payload names. Without PAYLOAD_KEYS everything is stored unencrypted. Unencrypted payloads are always read, so that
 * orders continue when keys are introduced. An encrypted payload without its key is an error: the task that needs it
 * fails until a process with the key gets it.
 *
 * The id of the key is not authenticated, so that the format stays the one of the samples. With another id
 * the payload would be opened with another key, which fails anyway. The ids of the workflow are not
 * authenticated either, because the codec server does not learn them.
 */
export function createPayloadCodec(keys: readonly PayloadKey[], customerKeys?: CustomerKeys): PayloadCodec {
  const [first] = keys;
  const byId = new Map(keys.map((key) => [key.id, key]));

  async function toEncrypt(context: SerializationContext | undefined): Promise<PayloadKey> {
    const owner = OF_CUSTOMER.exec(context?.workflowId ?? '')?.[1];
    const key = owner === undefined ? null : await customerKeys?.toEncrypt(owner);
    return key ? { id: `${CUSTOMER}${owner}`, key } : first!;
  }

  /** @throws {UndecodablePayload} */
  async function toDecrypt(id: string): Promise<PayloadKey> {
    if (customerKeys && id.startsWith(CUSTOMER))
      return { id, key: await customerKeys.toDecrypt(id.slice(CUSTOMER.length)) };
    const found = byId.get(id);
    if (!found) throw withoutKey(id);
    return found;
  }

  return {
    async encode(payloads, context) {
      if (!first || payloads.length === 0) return payloads;
      const key = await toEncrypt(context);
      return payloads.map((payload) => encrypt(payload, key));
    },
    decode: (payloads) =>
      Promise.all(
        payloads.map(async (payload) =>
          isEncrypted(payload) ? decrypt(payload, await toDecrypt(textOf(payload, KEY_ID))) : payload,
        ),
      ),
  };
}

function encrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: seal(key, PayloadMessage.encode(payload).finish()),
  };
}

/** @throws {UndecodablePayload} */
function decrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  try {
    return PayloadMessage.decode(unseal(key, Buffer.from(payload.data ?? [])));
  } catch (cause) {
    throw unreadable(id, cause);
  }
}

export function withoutKey(id: string): UndecodablePayload {
  return new UndecodablePayload(
    `A payload is encrypted with the key ${JSON.stringify(id)}, which this process does not have: ` +
      'add it to PAYLOAD_KEYS and start the process again.',
  );
}

export function unreadable(id: string, cause: unknown): UndecodablePayload {
  return new UndecodablePayload(
    `A payload cannot be decrypted with the key ${JSON.stringify(id)}: it was changed, or PAYLOAD_KEYS has ` +
      'another key under this id. Compare PAYLOAD_KEYS with the process that wrote it.',
    { cause },
  );
}

function isEncrypted(payload: Payload): boolean {
  return textOf(payload, 'encoding') === ENCODING;
}

function textOf({ metadata }: Payload, name: string): string {
  return Buffer.from(metadata?.[name] ?? []).toString();
}
