import type Koa from 'koa';
import request, { type Test } from 'supertest';
import { createApp } from '../../src/app';
import type { Route } from '../../src/http/route';
import type { Config } from '../../src/config';
import { createHealth, type Check, type Health } from '../../src/health/health';
import { healthRoutes } from '../../src/health/health.routes';
import { createJwt, type Jwt } from '../../src/jwt/jwt';
import { createLogger } from '../../src/logger/logger';
import type { Mail } from '../../src/mail/mail';
import { createOutbox, type Outbox } from '../../src/mail/outbox';
import type { UserRole } from '../../src/role/role';
import type { ReportSecurityEvent } from '../../src/security/security-events';
import type { RevokedTokens } from '../../src/users/sessions/revoked-tokens';
import { createAuthentication } from '../../src/authentication/authentication';
import {
  createPasswordChecks,
  followCredentials,
  identityRoutes,
  securityEvents,
  type Credentials,
} from '../../src/api-identity';
import { catalogueRoutes } from '../../src/api-routes';
import { testConfig } from './config';
import { conformsTo } from './conformance';
import { emptyCollections, openTestDatabase, type TestDatabase } from './database';
import { tokenFor } from './tokens';

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete' | 'head' | 'options';

/**
 * The API without orders, on its own database. Every response is checked against the declarations of its
 * route.
 */
export interface TestApi {
  app: Koa;
  config: Config;
  db: TestDatabase;
  jwt: Jwt;
  health: Health;
  credentials: Credentials;
  routes: Route[];
  /** What was mailed since the last `clear`, once it was. */
  mailed(): Promise<Mail[]>;
  /** The parsed log lines. */
  logs: Record<string, unknown>[];
  call(method: Method, path: string, token?: string): Test;
  tokenOf(role: UserRole, id?: string): string;
  /** Empties the collections and forgets the log. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  env?: NodeJS.ProcessEnv;
  checks?: Record<string, Check>;
  routes?:
    | Route[]
    | ((
        config: Config,
        revokedTokens: RevokedTokens,
        report: ReportSecurityEvent,
        outbox: Outbox,
      ) => Route[]);
  /** A database to use instead of its own. It is not dropped. */
  db?: TestDatabase;
}

export async function openTestApi({
  env = {},
  checks = {},
  routes: extra = [],
  db: given,
}: TestApiOptions = {}): Promise<TestApi> {
  const db = given ?? (await openTestDatabase());
  const config = testConfig({ LOG_LEVEL: 'info', ...env });
  const logs: Record<string, unknown>[] = [];
  const write = (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger(config, { write });
  const jwt = createJwt(config.jwt);
  const health = createHealth(checks, logger);
  const report = securityEvents(config, logger);
  const credentials = followCredentials(db.mongodb, logger, report);
  await credentials.ready;
  const mails: Mail[] = [];
  const outbox = createOutbox({ send: async (mail) => void mails.push(mail) }, logger);
  const { connection } = db;
  const passwordChecks = createPasswordChecks({ config, connection, report });
  const routes = [
    ...healthRoutes(health),
    ...identityRoutes({ config, jwt, connection, outbox, passwordChecks, report, logger }),
    ...catalogueRoutes(connection),
    ...(typeof extra === 'function' ? extra(config, credentials.revokedTokens, report, outbox) : extra),
  ];
  const { isUnavailable } = db.mongodb;
  const authentication = createAuthentication({ jwt, ...credentials });
  const app = createApp({ config, logger, routes, jwt, authentication, isUnavailable });
  const conforms = conformsTo(routes, config.http.prefix);
  return {
    app: app as unknown as Koa,
    config,
    db,
    jwt,
    health,
    credentials,
    routes,
    async mailed() {
      await outbox.drain();
      return mails;
    },
    logs,
    call(method, path, token) {
      const sent = request(app.callback())[method](`${config.http.prefix}${path}`);
      if (token) sent.set('Authorization', `Bearer ${token}`);
      return method === 'head' ? sent : sent.expect(conforms);
    },
    tokenOf: (role, id) => tokenFor(config, role, id),
    async clear() {
      await outbox.drain();
      logs.length = 0;
      mails.length = 0;
      await emptyCollections(db.connection);
    },
    async close() {
      await outbox.drain();
      await credentials.close();
      if (!given) await db.drop();
    },
  };
}
