import { freePorts } from '../devstack/ports';
import { POSTGRESQL_USER } from './postgresql';

export const SQL_PLUGIN = 'postgres12';

/** The databases, with the names of the schemas that the SQL tool has for them. */
export const DATABASES = {
  'default-store': { name: 'temporal', schema: 'postgresql/v12/temporal', connections: 20 },
  'visibility-store': { name: 'temporal_visibility', schema: 'postgresql/v12/visibility', connections: 10 },
} as const;

/** In the order of their ports. */
const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
/** An address for requests, and one by which the services find each other. */
const PORTS_PER_SERVICE = 2;
/** As many as Temporal's own configuration for development has. A cluster in production has 512 or more. */
const HISTORY_SHARDS = 4;
const HOST = '127.0.0.1';
const CLUSTER = 'active';

/** Temporal writes its ports to a column of PostgreSQL that is a `smallint`: they have to be below 32 768. */
export function findPorts(): Promise<number[]> {
  return freePorts(SERVICES.length * PORTS_PER_SERVICE);
}

/**
 * Returns the configuration of Temporal's server. What is not set here has the server's default.
 * @param ports the first one is that for clients
 */
export function configuration(postgresqlPort: number, ports: readonly number[]): object {
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default-store',
      visibilityStore: 'visibility-store',
      numHistoryShards: HISTORY_SHARDS,
      datastores: Object.fromEntries(
        Object.entries(DATABASES).map(([store, { name, connections }]) => [
          store,
          {
            sql: {
              pluginName: SQL_PLUGIN,
              databaseName: name,
              connectAddr: `${HOST}:${postgresqlPort}`,
              connectProtocol: 'tcp',
              user: POSTGRESQL_USER,
              maxConns: connections,
              maxIdleConns: connections,
              maxConnLifetime: '1h',
            },
          },
        ]),
      ),
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: HOST } },
    services: Object.fromEntries(
      SERVICES.map((name, n) => {
        const [grpcPort, membershipPort] = ports.slice(n * PORTS_PER_SERVICE);
        return [name, { rpc: { grpcPort, membershipPort, bindOnLocalHost: true } }];
      }),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: CLUSTER,
      currentClusterName: CLUSTER,
      clusterInformation: {
        [CLUSTER]: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `${HOST}:${ports[0]}`,
        },
      },
    },
  };
}
