import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { newSecret, signedHeaders } from '../../src/webhooks/signing';
import { eventually } from '../support/eventually';
import { freePorts } from '../../tools/devstack/ports';

const SCRIPT = join(__dirname, '..', '..', 'examples', 'webhook-receiver', 'receiver.mjs');

it('verifies what arrives, and prints each event once', async () => {
  const secret = newSecret();
  const [port] = await freePorts(1);
  const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) };
  const receiver = spawn(process.execPath, [SCRIPT], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  receiver.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  try {
    await eventually(async () => expect(printed).toContain('Receiving webhooks'));
    const event = {
      id: 'evt_ord_1_2',
      type: 'order.confirmed',
      at: '2026-01-15T09:00:00.000Z',
      object: 'ord_1',
    };
    const body = JSON.stringify(event);
    const send = async (secrets: string[]) => {
      const headers = signedHeaders(secrets, { id: event.id, body, at: new Date() });
      return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status;
    };
    expect(await send([newSecret()])).toBe(401);
    expect(await send([secret])).toBe(204);
    expect(await send([newSecret(), secret])).toBe(204);
    await eventually(async () => expect(printed).toMatch(/order\.confirmed ord_1\n$/));
    expect(printed.match(/order\.confirmed/g)).toHaveLength(1);
  } finally {
    receiver.kill();
  }
});
