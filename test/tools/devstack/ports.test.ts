import { createServer, type AddressInfo, type Server } from 'node:net';
import { freePorts, requireFreePorts } from '../../../tools/devstack/ports';

describe('ports', () => {
  let server: Server;
  afterEach(() => server?.close());

  it.each(['127.0.0.1', '0.0.0.0'])(
    'names a port in use on %s, and the variable that changes it',
    async (host) => {
      server = createServer();
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      const { port } = server.address() as AddressInfo;
      await expect(requireFreePorts({ MONGODB_PORT: port })).rejects.toThrow(
        `port ${port} is in use by another program; set MONGODB_PORT to another one`,
      );
    },
  );

  it('names all ports in use together', async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const [PORT, MONGODB_PORT] = [server, other].map((one) => (one.address() as AddressInfo).port);
    const rejected = requireFreePorts({ PORT: PORT!, MONGODB_PORT: MONGODB_PORT! });
    await expect(rejected).rejects.toThrow(
      `port ${PORT} is in use by another program; set PORT to another one; ` +
        `port ${MONGODB_PORT} is in use by another program; set MONGODB_PORT to another one`,
    );
    other.close();
  });

  it('rejects one port for two servers', async () => {
    const [port] = (await freePorts(1)) as [number];
    await expect(requireFreePorts({ PORT: port, TEMPORAL_PORT: port })).rejects.toThrow(
      'PORT and TEMPORAL_PORT are both',
    );
  });

  it('finds different free ports, none of which the system gives to a connection', async () => {
    const ports = await freePorts(5);
    expect(new Set(ports).size).toBe(5);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    await expect(
      requireFreePorts(Object.fromEntries(ports.map((port) => [`P${port}`, port]))),
    ).resolves.toBeUndefined();
  });
});
