import { Webhook } from 'standardwebhooks';
import { verifyWebhook } from '../../clients/typescript/src/webhooks';
import { newSecret, signedHeaders } from '../../src/webhooks/signing';

const message = { id: 'evt_ord_1_2', body: '{"id":"evt_ord_1_2","data":{"note":"é"}}', at: new Date() };

it('signs so that the library of receivers and our client verify it, with either of two secrets', async () => {
  const [newest, older, other] = [newSecret(), newSecret(), newSecret()];
  const headers = signedHeaders([newest, older], message);
  for (const secret of [newest, older]) {
    expect(new Webhook(secret).verify(message.body, headers)).toEqual(JSON.parse(message.body));
    expect(await verifyWebhook({ ...message, headers }, secret)).toEqual(JSON.parse(message.body));
  }
  expect(() => new Webhook(other).verify(message.body, headers)).toThrow();
  expect(() => new Webhook(newest).verify(`${message.body} `, headers)).toThrow();
  expect(() => new Webhook(newest).verify(message.body, { ...headers, 'webhook-id': 'evt_x' })).toThrow();
});
