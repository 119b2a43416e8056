// The process that a supervisor starts in its tests: a server in a cluster that behaves as MODE says.
import cluster from 'node:cluster';
import { createServer } from 'node:http';

const { MODE, PORT } = process.env;

/** Asks the supervisor to count a request, as the rate limit does. */
function count() {
  return new Promise((resolve) => {
    process.once('message', ({ counts }) => resolve(String(counts[0].used)));
    process.send({ type: 'count', id: 1, requests: [{ key: 'client', windowMs: 60_000 }] });
  });
}

if (MODE === 'broken') process.exit(3);
const server = createServer(async (request, response) => {
  response.setHeader('Connection', 'close');
  response.end(request.url === '/count' ? await count() : String(process.pid));
});
server.listen(Number(PORT), '127.0.0.1');
process.on('message', ({ type }) => {
  if (type !== 'stop' || MODE === 'deaf') return;
  server.close(() => cluster.worker.disconnect());
});
