/** Receives webhooks, verifies them, and prints what has happened: WEBHOOK_SECRET=whsec_… node receiver.mjs */
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const { WEBHOOK_SECRET, PORT = '4000' } = process.env;
if (!WEBHOOK_SECRET) {
  console.error('Set WEBHOOK_SECRET to the secret that the new endpoint has shown.');
  process.exit(1);
}
const webhook = new Webhook(WEBHOOK_SECRET);
/** Events arrive at least once. A real receiver keeps the ids in its database, with what it makes of the events. */
const seen = new Set();

createServer(async (req, res) => {
  let event;
  try {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    event = webhook.verify(Buffer.concat(chunks), req.headers); // the very bytes that were sent
  } catch {
    res.writeHead(401).end();
    return;
  }
  res.writeHead(204).end();
  if (seen.has(event.id)) return;
  seen.add(event.id);
  console.log(`${event.at} ${event.type} ${event.object}`);
}).listen(Number(PORT), '127.0.0.1', () => console.log(`Receiving webhooks at http://127.0.0.1:${PORT}/`));
