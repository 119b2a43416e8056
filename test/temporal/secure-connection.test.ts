import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import pino from 'pino';
import { loadConfig } from '../../src/config';
import { createSearchAttributes, openSetupConnection } from '../../src/setup/search-attributes';
import { createTemporalClient } from '../../src/temporal/client';
import { createDataConverter } from '../../src/temporal/data-converter';
import { connectToTemporal } from '../../src/worker/run';
import { createAuthority } from '../support/certificates';
import { HANG_MS } from '../support/eventually';

const UNIMPLEMENTED = '12';
const API_KEY = 'an-api-key';

/**
 * A server like Temporal's that requires client certificates, records its callers, and implements nothing.
 */
let server: Http2SecureServer;
let sessions: Set<ServerHttp2Session>;
let calls: { method: string; client: string; authorization: unknown; namespace: unknown }[];
let called: Promise<unknown>;
let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  const authority = createAuthority();
  const { certificate: cert, key } = authority.issue('localhost');
  const client = authority.issue('a-client');
  server = createSecureServer({ cert, key, ca: authority.certificate, requestCert: true });
  sessions = new Set();
  calls = [];
  server.on('session', (session) => sessions.add(session));
  called = once(server, 'stream');
  server.on('stream', (stream, headers) => {
    calls.push({
      method: headers[':path']!.split('/').at(-1)!,
      client: String((stream.session!.socket as TLSSocket).getPeerCertificate().subject?.CN),
      authorization: headers.authorization,
      namespace: headers['temporal-namespace'],
    });
    const answer = { 'content-type': 'application/grpc', 'grpc-status': UNIMPLEMENTED };
    stream.respond({ ':status': 200, ...answer }, { endStream: true });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  folder = mkdtempSync(join(tmpdir(), 'temporal-tls-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    MONGODB_URI: 'mongodb://127.0.0.1:1/?replicaSet=rs0',
    JWT_SECRET: '0b5f4c1d9a3e7f2608d4c6b8a1e3f5907d9b2c4e6f8a0b1d5c7e91f3a6d8b024',
    TEMPORAL_ADDRESS: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    TEMPORAL_NAMESPACE: 'shop',
    TEMPORAL_API_KEY: API_KEY,
    TEMPORAL_TLS_SERVER_NAME: 'localhost',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.crt', authority.certificate),
    TEMPORAL_TLS_CLIENT_CERT_PATH: file('tls.crt', client.certificate),
    TEMPORAL_TLS_CLIENT_KEY_PATH: file('tls.key', client.key),
  };
});
afterEach(async () => {
  for (const session of sessions) session.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

const KNOWN = { client: 'a-client', authorization: `Bearer ${API_KEY}` };

it('connects the API with TLS, a client certificate and an API key', async () => {
  const client = createTemporalClient(loadConfig('api', env).temporal, createDataConverter([]));
  const { namespace } = client.client.options;
  const call = client.client.workflowService.describeNamespace({ namespace });
  await expect(call).rejects.toThrow(/UNIMPLEMENTED/);
  expect(calls).toEqual([{ method: 'DescribeNamespace', namespace: 'shop', ...KNOWN }]);
  await client.close();
});

it('connects a worker in the same way', async () => {
  const stopping = new AbortController();
  const logger = pino({ level: 'silent' });
  const done = connectToTemporal(loadConfig('worker', env).temporal, logger, stopping.signal);
  await called;
  stopping.abort();
  await (await done)?.close();
  expect(calls[0]).toEqual({ method: 'GetSystemInfo', namespace: undefined, ...KNOWN });
});

it('connects the set-up in the same way', async () => {
  const connection = openSetupConnection(loadConfig('setup', env).temporal, HANG_MS);
  await expect(createSearchAttributes(connection, 'shop')).rejects.toThrow(/cannot be set up.*UNIMPLEMENTED/);
  expect(calls.at(-1)).toEqual({ method: 'ListSearchAttributes', namespace: 'shop', ...KNOWN });
  await connection.close();
});

it('rejects a server whose certificate authority is unknown', async () => {
  const { TEMPORAL_TLS_SERVER_CA_CERT_PATH: _, ...rest } = env;
  const client = createTemporalClient(loadConfig('api', rest).temporal, createDataConverter([]));
  await expect(client.checkHealth()).rejects.toThrow();
  expect(calls).toEqual([]);
  await client.close();
});
