import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Certificate {
  /** The certificate in PEM. */
  certificate: string;
  /** The private key in PEM. */
  key: string;
}

interface Issuer extends Certificate {
  name: string;
  signingKey: KeyObject;
}

/**
 * Creates an authority that issues certificates (X.509, P-256) for a day. Node.js reads certificates but
 * makes none.
 */
export function createAuthority(): Issuer & { issue(name: string): Certificate } {
  const name = `authority-${randomBytes(4).toString('hex')}`;
  const { privateKey, publicKey } = keyPair();
  const authority = {
    name,
    signingKey: privateKey,
    certificate: certificateOf(name, publicKey, { name, signingKey: privateKey }, CA),
    key: pemOf(privateKey),
  };
  return {
    ...authority,
    issue(subject) {
      const pair = keyPair();
      const extension = extensionOf(SUBJECT_ALT_NAME, sequence(der(0x82, Buffer.from(subject))));
      return {
        certificate: certificateOf(subject, pair.publicKey, authority, extension),
        key: pemOf(pair.privateKey),
      };
    },
  };
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;

function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}
const sequence = (...content: Buffer[]) => der(0x30, ...content);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content);
const utcTime = (ms: number) =>
  der(
    0x17,
    Buffer.from(
      `${new Date(ms)
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );
const nameOf = (commonName: string) =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
const extensionOf = (id: Buffer, value: Buffer) => sequence(id, der(0x04, value));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const SUBJECT_ALT_NAME = oid('551d11');
const CA = extensionOf(oid('551d13'), sequence(der(0x01, Buffer.from([0xff]))));
const DAY_MS = 86_400_000;

function certificateOf(
  subject: string,
  publicKey: KeyObject,
  issuer: Pick<Issuer, 'name' | 'signingKey'>,
  extension: Buffer,
): string {
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ECDSA_WITH_SHA256,
    nameOf(issuer.name),
    sequence(utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', content, issuer.signingKey);
  const certificate = sequence(content, ECDSA_WITH_SHA256, bits(signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${certificate.match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`;
}
