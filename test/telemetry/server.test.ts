import pino from 'pino';
import { startTelemetryServer, type Endpoint } from '../../src/telemetry/server';

const logger = pino({ level: 'silent' });

async function serve(
  endpoints: Record<string, Endpoint>,
): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = await startTelemetryServer({ host: '127.0.0.1', port: 0, logger, endpoints });
  return { url: server.url, [Symbol.asyncDispose]: () => server.close(0) };
}

const hello: Endpoint = () => ({ status: 200, contentType: 'text/plain', body: 'hello\n' });

describe('the server for the monitoring', () => {
  it('serves its exact paths, to GET and HEAD only', async () => {
    await using server = await serve({ '/metrics': hello });
    const found = await fetch(`${server.url}/metrics?name=up`);
    expect([found.status, await found.text()]).toEqual([200, 'hello\n']);
    expect(found.headers.get('cache-control')).toBe('no-store');
    const head = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '6', '']);
    for (const path of ['/', '/metrics/', '/Metrics', '//metrics', '/metrics/../metrics%2f', '/__proto__'])
      expect([path, (await fetch(server.url + path)).status]).toEqual([path, 404]);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const rejected = await fetch(`${server.url}/metrics`, { method });
      expect([method, rejected.status, rejected.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD']);
    }
  });

  it('answers 500 without a word of the failure', async () => {
    await using server = await serve({ '/metrics': () => Promise.reject(new Error('secret')) });
    const failed = await fetch(`${server.url}/metrics`);
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain('secret');
  });

  it('says which variable to change if its port is taken', async () => {
    await using server = await serve({ '/metrics': hello });
    const port = Number(new URL(server.url).port);
    await expect(startTelemetryServer({ host: '127.0.0.1', port, logger, endpoints: {} })).rejects.toThrow(
      'set METRICS_PORT to another port',
    );
  });
});
