import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import { createPayloadCodec } from '../../src/temporal/payload-codec';

const newKey = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [`old:${newKey()}`, `new:${newKey()}`];
const codecOf = (...entries: string[]) => createPayloadCodec(parsePayloadKeys(entries.join(',')));
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const plain = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]),
  ),
  data: Buffer.from(data ?? []).toString('hex'),
});
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

const bytes = fc.uint8Array({ maxLength: 200 });
const payload = fc.record({
  metadata: fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 20 }), bytes),
  data: bytes,
});

it('decrypts what it encrypted, which does not show', async () => {
  const codec = codecOf(NEW);
  await fc.assert(
    fc.asyncProperty(fc.array(payload, { maxLength: 5 }), async (payloads) => {
      const encoded = await codec.encode(payloads);
      expect(
        encoded.map(({ metadata }) => [text(metadata!.encoding), text(metadata!['encryption-key-id'])]),
      ).toEqual(payloads.map(() => ['binary/encrypted', 'new']));
      expect((await codec.decode(encoded)).map(plain)).toEqual(payloads.map(plain));
    }),
  );
  const [secret] = await codec.encode([payloadOf({ note: 'a canary' })]);
  expect(text(secret!.data!)).not.toContain('canary');
});

it('encrypts with the first key and decrypts with every other one', async () => {
  const before = await codecOf(OLD).encode([payloadOf('a note')]);
  const during = codecOf(OLD, NEW);
  const after = codecOf(NEW, OLD);
  expect(await keyIdsOf(during)).toEqual(['old']);
  expect(await keyIdsOf(after)).toEqual(['new']);
  const later = await after.encode([payloadOf('a note')]);
  for (const codec of [during, after]) {
    for (const payloads of [before, later]) {
      expect((await codec.decode(payloads)).map((one) => defaultPayloadConverter.fromPayload(one))).toEqual([
        'a note',
      ]);
    }
  }
});

async function keyIdsOf(codec: ReturnType<typeof codecOf>): Promise<string[]> {
  return (await codec.encode([payloadOf(1)])).map(({ metadata }) => text(metadata!['encryption-key-id']));
}

it.each([
  ['another key', codecOf(NEW)],
  ['no key at all', createPayloadCodec([])],
])('says which key is missing and what to do, with %s', async (_what, codec) => {
  const encoded = await codecOf(OLD).encode([payloadOf('a note')]);
  await expect(codec.decode(encoded)).rejects.toThrow(
    /key "old", which this process does not have.*PAYLOAD_KEYS/,
  );
});

it('rejects a payload that was changed at any byte, shortened, or given the id of another key', async () => {
  const codec = codecOf(NEW, OLD);
  const [encoded] = await codec.encode([payloadOf('a note')]);
  const { metadata, data } = encoded as { metadata: Record<string, Uint8Array>; data: Uint8Array };
  const refusal = /cannot be decrypted with the key "(new|old)": it was changed/;
  for (let index = 0; index < data.length; index++) {
    const changed = Uint8Array.from(data, (byte, at) => (at === index ? byte ^ 1 : byte));
    await expect(codec.decode([{ metadata, data: changed }])).rejects.toThrow(refusal);
    await expect(codec.decode([{ metadata, data: data.subarray(0, index) }])).rejects.toThrow(refusal);
  }
  const renamed = { ...metadata, 'encryption-key-id': Buffer.from('old') };
  await expect(codec.decode([{ metadata: renamed, data }])).rejects.toThrow(refusal);
  await expect(codec.decode([{ metadata }])).rejects.toThrow(refusal);
});

it('leaves unencrypted payloads as they are, with and without keys', async () => {
  const payloads = [payloadOf({ note: 'a note' }), {}];
  for (const codec of [codecOf(NEW), createPayloadCodec([])])
    expect(await codec.decode(payloads)).toEqual(payloads);
  expect(await createPayloadCodec([]).encode(payloads)).toEqual(payloads);
});

it('never uses a nonce twice', async () => {
  const encoded = await codecOf(NEW).encode(Array.from({ length: 20_000 }, () => payloadOf('a note')));
  const nonces = encoded.map(({ data }) => Buffer.from(data!.subarray(0, 12)).toString('hex'));
  expect(new Set(nonces).size).toBe(20_000);
});
