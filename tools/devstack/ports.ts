import { randomInt } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { SetupError } from '../project';

const LOOPBACK = '127.0.0.1';
const CONNECT_TIMEOUT_MS = 1_000;

/** Ports by the names of the environment variables that set them. */
export type PortVariables = Readonly<Record<string, number>>;

/** @throws {SetupError} that names every port that is not free, with the variable that changes it */
export async function requireFreePorts(ports: PortVariables): Promise<void> {
  const taken = new Map<number, string>();
  const problems: string[] = [];
  for (const [variable, port] of Object.entries(ports)) {
    const other = taken.get(port);
    if (other) {
      problems.push(`${other} and ${variable} are both ${port}; set them to different ports`);
      continue;
    }
    taken.set(port, variable);
    const reason = await whyNotFree(port);
    if (reason) problems.push(`port ${port} ${reason}; set ${variable} to another one`);
  }
  if (problems.length > 0) throw new SetupError(problems.join('; '));
}

/** Connects first, because some systems allow binding a port that a listener on another address uses. */
async function whyNotFree(port: number): Promise<string | undefined> {
  if (await accepts(port)) return 'is in use by another program';
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EACCES' ? 'cannot be opened by this user' : `cannot be opened (${error.code})`);
    });
    server.listen(port, LOOPBACK, () => server.close(() => resolve(undefined)));
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: LOOPBACK,
      timeout: CONNECT_TIMEOUT_MS,
    });
    const answer = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', answer(true)).once('timeout', answer(false)).once('error', answer(false));
  });
}

/** Systems give ports from 32 768 on to connections; Windows and macOS from 49 152 on. */
const [LEAST, BELOW] = [10_000, 32_768];
const DRAWS = 1_000;

/**
 * Returns different ports that are free now: each is held until the last one is found. They are drawn from those that the
 * system gives to no connection, which could take a port before its server does.
 * @throws {SetupError} of many ports that were drawn, none was free
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let draws = 0; servers.length < count; draws++) {
    if (draws > DRAWS) {
      await release(servers);
      throw new SetupError(`hardly any port from ${LEAST} to ${BELOW - 1} is free; end what uses them`);
    }
    const server = await listen(randomInt(LEAST, BELOW)).catch(() => undefined);
    if (server) servers.push(server);
  }
  return release(servers);
}

async function release(servers: readonly Server[]): Promise<number[]> {
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}
