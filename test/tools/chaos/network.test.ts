import { mongo } from 'mongoose';
import { once } from 'node:events';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ClientHttp2Session,
} from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createNetwork, type Network } from '../../../tools/chaos/network';
import { eventually } from '../../support/eventually';

const HOST = '127.0.0.1';

/** A message of MongoDB's wire protocol, with a command or an answer in it. */
function message(requestId: number, responseTo: number, document: object): Buffer {
  const body = Buffer.concat([Buffer.alloc(5), mongo.BSON.serialize(document)]);
  const header = Buffer.alloc(16);
  [16 + body.length, requestId, responseTo, 2_013].forEach((value, index) =>
    header.writeInt32LE(value, 4 * index),
  );
  return Buffer.concat([header, body]);
}

/** Answers each message with one that carries its id. */
async function listenLikeMongodb(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += chunk.readInt32LE(at))
        socket.write(message(0, chunk.readInt32LE(at + 4), { ok: 1 }));
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return server;
}

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

describe('the network of the chaos rig', () => {
  let network: Network;
  const cleanUp: (() => unknown)[] = [];

  beforeEach(() => {
    network = createNetwork();
  });

  afterEach(async () => {
    for (const undo of cleanUp.splice(0)) await undo();
    await network.close();
  });

  async function openMongodb(): Promise<number> {
    const server = await listenLikeMongodb();
    cleanUp.push(() => server.close());
    return network.open({ to: 'mongodb-1', port: portOf(server), wire: 'mongodb' });
  }

  async function greet(port: number, hello: object): Promise<Socket> {
    const socket = connect(port, HOST).on('error', () => undefined);
    cleanUp.push(() => socket.destroy());
    socket.write(message(1, 0, { hello: 1, ...hello }));
    await once(socket, 'data');
    return socket;
  }

  it('tells drivers and nodes apart by what they say first', async () => {
    const port = await openMongodb();
    network.name(27_018, 'mongodb-2');
    await greet(port, { client: { application: { name: 'worker-1' } } });
    await greet(port, {
      hostInfo: 'somewhere:27018',
      client: { application: { name: 'MongoDB Internal Client' } },
    });
    const from = network.links().map((link) => [link.from, link.passed]);
    expect(from).toEqual([
      ['worker-1', { request: 1, reply: 1 }],
      ['mongodb-2', { request: 1, reply: 1 }],
    ]);
  });

  it('shows traps whole messages by their commands, however the bytes come, and swallows the one they want', async () => {
    const socket = await greet(await openMongodb(), { client: { application: { name: 'api-1' } } });
    const seen: string[] = [];
    network.link('api-1', 'mongodb-1').set((direction, label) => {
      seen.push(`${direction} ${label}`);
      return direction === 'reply' && label === 'commitTransaction';
    });
    const find = message(2, 0, { find: 'orders' });
    socket.write(find.subarray(0, 7));
    await new Promise((resolve) => setImmediate(resolve));
    socket.write(Buffer.concat([find.subarray(7), message(3, 0, { commitTransaction: 1 })]));
    const replies: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => replies.push(chunk));
    await once(socket, 'close');
    expect(seen).toEqual([
      'request find orders',
      'request commitTransaction',
      'reply find orders',
      'reply commitTransaction',
    ]);
    expect(Buffer.concat(replies).readInt32LE(8)).toBe(2);
    expect(Buffer.concat(replies)).toHaveLength(message(0, 0, { ok: 1 }).length);
  });

  it('breaks what is cut, and refuses it until it is healed', async () => {
    const port = await openMongodb();
    const hello = { client: { application: { name: 'api-1' } } };
    const socket = await greet(port, hello);
    const link = network.link('api-1', 'mongodb-1');
    const closed = once(socket, 'close');
    link.cut();
    await closed;
    const refused = connect(port, HOST).on('error', () => undefined);
    refused.resume().write(message(1, 0, { hello: 1, ...hello }));
    await once(refused, 'close');
    link.heal();
    await greet(port, hello);
    expect(link.passed).toEqual({ request: 2, reply: 2 });
  });

  it('holds what is stalled, and lets it through when it is healed', async () => {
    const socket = await greet(await openMongodb(), { client: { application: { name: 'api-1' } } });
    const link = network.link('api-1', 'mongodb-1');
    link.stall();
    socket.write(message(2, 0, { ping: 1 }));
    const answered = once(socket, 'data');
    await greet(await openMongodb(), { client: { application: { name: 'api-2' } } }); // other links stay open
    expect(link.passed.request).toBe(1);
    link.heal();
    await answered;
    expect(link.passed.request).toBe(2);
  });

  it('ends a fault without ending another one, and tells what each has met', async () => {
    const port = await openMongodb();
    const hello = { client: { application: { name: 'api-1' } } };
    const socket = await greet(port, hello);
    const link = network.link('api-1', 'mongodb-1');
    const [first, second, unmet] = [link.stall(), link.stall(), network.link('api-2', 'mongodb-1').cut()];
    link.slow(1).end();
    socket.write(message(2, 0, { ping: 1 }));
    await eventually(async () => expect([first.met > 0, second.met > 0, unmet.met]).toEqual([true, true, 0]));
    first.end();
    await greet(await openMongodb(), { client: { application: { name: 'api-3' } } });
    expect(link.passed.request).toBe(1);
    const cut = link.cut();
    second.end();
    await once(socket, 'close');
    const refused = connect(port, HOST).on('error', () => undefined);
    refused.resume().write(message(1, 0, { hello: 1, ...hello }));
    await once(refused, 'close');
    expect([link.passed.request, cut.met]).toEqual([1, 2]);
  });

  it('delays each message alone: those behind it wait no longer', async () => {
    const socket = await greet(await openMongodb(), { client: { application: { name: 'api-1' } } });
    const link = network.link('api-1', 'mongodb-1');
    const passedAt: number[] = [];
    link.set((direction) => {
      if (direction === 'request') passedAt.push(performance.now());
      return false;
    });
    const slow = link.slow(2_000);
    for (let n = 1; n <= 4; n++) {
      socket.write(message(n + 1, 0, { ping: 1 }));
      await eventually(async () => expect(slow.met).toBeGreaterThanOrEqual(n)); // a chunk of its own
    }
    await eventually(async () => expect(passedAt).toHaveLength(4));
    expect(passedAt[3]! - passedAt[0]!).toBeLessThan(2_000); // one after the other, it would be three times as long
  });

  it('names the calls of gRPC, and swallows a reply with its connection', async () => {
    const server = createHttp2Server().on('stream', (stream) => {
      stream.resume().on('error', () => undefined);
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
    server.on('session', (session) => {
      // What the client answers to these belongs to the server that has asked.
      session.ping(() => undefined);
      session.settings({ initialWindowSize: 100_000 });
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    cleanUp.push(() => server.close());
    const port = await network.open({ from: 'worker-1', to: 'temporal', port: portOf(server), wire: 'grpc' });
    const session = connectHttp2(`http://${HOST}:${port}`).on('error', () => undefined);
    cleanUp.push(() => session.destroy());
    const seen: string[] = [];
    network.link('worker-1', 'temporal').set((direction, label) => {
      if (direction === 'reply') seen.push(label);
      return direction === 'reply' && label === 'PollWorkflowTaskQueue' && seen.length > 2;
    });
    await call(session, 'StartWorkflowExecution');
    await call(session, 'PollWorkflowTaskQueue');
    await expect(call(session, 'PollWorkflowTaskQueue')).rejects.toThrow();
    expect(seen).toEqual(['StartWorkflowExecution', 'PollWorkflowTaskQueue', 'PollWorkflowTaskQueue']);
    expect(session.closed || session.destroyed).toBe(true);
  });
});

/** Calls as gRPC does: with a body, and headers that later calls name by their numbers alone. */
function call(session: ClientHttp2Session, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const path = `/temporal.api.workflowservice.v1.WorkflowService/${name}`;
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.on('response', () => (isAnswered = true)).on('error', reject);
    stream.on('close', () => (isAnswered ? resolve() : reject(new Error('not answered'))));
    stream.resume().end(Buffer.alloc(70_000)); // more than a window of a stream whose server says nothing
  });
}
