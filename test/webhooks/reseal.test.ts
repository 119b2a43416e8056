import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { createSecretBox } from '../../src/common/secret-box';
import { parsePayloadKeys } from '../../src/config/payload-keys';
import { OLD_SECRET_MS } from '../../src/domain/webhook';
import { createEndpointRepository } from '../../src/webhooks/endpoints.repository';
import { resealSecrets } from '../../src/webhooks/reseal';
import { newSecret, SECRETS_PURPOSE } from '../../src/webhooks/signing';
import { openTestDatabase, type TestDatabase } from '../support/database';
import { TEST_ORIGIN } from '../support/origin';
import { storedEndpoint } from '../support/webhook-endpoint';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase({ own: true });
});
afterAll(() => db.drop());

const [OLD, NEW] = ['old', 'new'].map((id) => `${id}:${randomBytes(32).toString('base64')}`);
const boxOf = (keys: string) => createSecretBox(parsePayloadKeys(keys), SECRETS_PURPOSE);

it('seals secrets anew when PAYLOAD_KEYS are rotated, so that the old one can be dropped', async () => {
  const endpoints = createEndpointRepository(db.connection);
  const now = new Date();
  const [id, old] = ['whe_1', boxOf(OLD!)];
  const texts = [newSecret(), newSecret(), newSecret()];
  const lives = [null, new Date(now.getTime() + OLD_SECRET_MS), new Date(0)];
  const secrets = texts.map((text, n) => ({
    sealed: old.seal(text, id),
    createdAt: now,
    expiresAt: lives[n]!,
  }));
  const endpoint = storedEndpoint({ secrets, createdAt: now });
  await endpoints.insert(endpoint, TEST_ORIGIN);
  const signal = new AbortController().signal;
  const logger = pino({ level: 'silent' });
  await resealSecrets({ endpoints, secrets: boxOf(`${NEW},${OLD}`), logger, signal });
  const [newest, older, expired] = (await endpoints.find(id))!.secrets;
  expect([newest, older].map((one) => boxOf(NEW!).open(one!.sealed, id))).toEqual(texts.slice(0, 2));
  expect(expired!.sealed).toBe(endpoint.secrets[2]!.sealed); // it signs nothing any more
  const before = await endpoints.find(id);
  await resealSecrets({ endpoints, secrets: boxOf(NEW!), logger, signal });
  expect(await endpoints.find(id)).toEqual(before);
});
