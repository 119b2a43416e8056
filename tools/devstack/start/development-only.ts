import { isIPv4 } from 'node:net';
import { SetupError } from '../../project';

const SERVER_VARIABLES = ['MONGODB_URI', 'TEMPORAL_ADDRESS'] as const;

/**
 * Keeps `npm start` away from production: it creates users whose passwords are published.
 * @throws {SetupError} in production, and for servers on other machines unless they are allowed
 */
export function requireDevelopment(env: NodeJS.ProcessEnv, allowRemoteServers: boolean): void {
  if (env.NODE_ENV === 'production') {
    throw new SetupError(
      'NODE_ENV is production, but npm start is for development: it creates users whose passwords are published. ' +
        'Unset NODE_ENV, or run npm run setup, npm run start:api and npm run start:worker instead.',
    );
  }
  if (allowRemoteServers) return;
  for (const variable of SERVER_VARIABLES) {
    const remote = hostsOf(env[variable] ?? '').find((host) => !isLoopback(host));
    if (remote === undefined) continue;
    throw new SetupError(
      `${variable} names ${remote}, which is another machine, and npm start would create users there whose ` +
        `passwords are published. Unset ${variable} to use a server on this machine, or confirm with ` +
        '`npm start -- --allow-remote-servers`.',
    );
  }
}

/** The hosts in `mongodb://user:password@one:27017,two/orders?…` or `host:port`, without their ports. */
function hostsOf(address: string): string[] {
  const authority = address.replace(/^[\w+.-]+:\/\//, '').split(/[/?]/)[0]!;
  const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
  return hosts.filter(Boolean).map((host) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'));
}

/** A Unix domain socket is on this machine too; MongoDB writes it with `%2F` for each slash. */
function isLoopback(host: string): boolean {
  const isSocket = /^%2f/i.test(host);
  return isSocket || /^localhost$/i.test(host) || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
