import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { createApiKeyCache } from './api-keys/api-key-cache';
import { createApiKeyRepository } from './api-keys/api-keys.repository';
import { apiKeyRoutes } from './api-keys/api-keys.routes';
import { createApiKeyService } from './api-keys/api-keys.service';
import { authRoutes } from './auth/auth.routes';
import { createAuthService } from './auth/auth.service';
import { recoveryRoutes } from './auth/recovery.routes';
import { createRecoveryService } from './auth/recovery.service';
import { createAddressLimit } from './auth/address-limit';
import { createAttemptKeys } from './users/passwords/attempt-keys';
import { createAttemptRepository } from './users/passwords/attempts.repository';
import { createDemoPasswordGuard } from './users/passwords/demo-password';
import { createPasswordRules } from './users/passwords/password-rules';
import { createPasswordCheck } from './users/passwords/password-check';
import { createSessionRepository } from './users/sessions/sessions.repository';
import type { Route } from './http/route';
import type { Outbox } from './mail/outbox';
import type { Config } from './config';
import type { Jwt } from './jwt/jwt';
import { together } from './mongodb/follow-changes';
import type { MongoDb } from './mongodb/mongodb';
import {
  createSecurityEvents,
  type ReportSecurityEvent,
  type SecurityEventName,
} from './security/security-events';
import { reportedCheck } from './users/passwords/reported-check';
import { createAccountMails, type AccountMails } from './users/account/account-mails';
import { createAccountRepository } from './users/account/accounts.repository';
import { createCodeCheck } from './users/second-factor/code-check';
import { secondFactorRoutes } from './users/second-factor/second-factor.routes';
import { createSecondFactorService } from './users/second-factor/second-factor.service';
import { createSecondFactorRepository } from './users/second-factor/second-factors.repository';
import { createIssueTokens } from './users/sessions/issued-tokens';
import { createSecretBox } from './common/secret-box';
import { createReauthentication } from './users/reauthentication';
import { createEndedSessionsRepository } from './users/sessions/ended-sessions.repository';
import { followRevokedTokens } from './users/sessions/revoked-tokens';
import { createRevokedTokensRepository } from './users/sessions/revoked-tokens.repository';
import { createGuestRepository } from './users/guests.repository';
import { createUsersRepository } from './users/users.repository';
import { userRoutes } from './users/users.routes';
import { createUsersService } from './users/users.service';

/** Reports security events, with hashes that are the same in all API processes. */
export function securityEvents(
  { jwt }: Pick<Config, 'jwt'>,
  logger: Logger,
  onEvent?: (name: SecurityEventName) => void,
): ReportSecurityEvent {
  return createSecurityEvents({ logger, secret: jwt.keys[0]!.signingKey!, onEvent });
}

export interface PasswordChecksDeps {
  config: Pick<Config, 'jwt' | 'signIn'>;
  connection: Connection;
  report: ReportSecurityEvent;
}

export type PasswordChecks = ReturnType<typeof createPasswordChecks>;

/** Creates what checks passwords in this process: once, since attempts take turns in it. */
export function createPasswordChecks({ config, connection, report }: PasswordChecksDeps) {
  const users = createUsersRepository(connection);
  const attempts = createAttemptRepository(connection);
  const attemptKeys = createAttemptKeys(config.jwt.keys[0]!.signingKey!);
  const check = createPasswordCheck({
    attempts,
    keys: attemptKeys,
    maxFailuresPerAddress: config.signIn.maxFailuresPerAddress,
    isSignedInAt: createSessionRepository(connection).isUsedFrom,
  });
  const checkPassword = reportedCheck(check, report);
  const requireRecentSignIn = createReauthentication({ users, checkPassword });
  return { attempts, attemptKeys, checkPassword, requireRecentSignIn };
}

export interface IdentityRoutesDeps {
  config: Config;
  jwt: Jwt;
  connection: Connection;
  outbox: Pick<Outbox, 'post'>;
  passwordChecks: PasswordChecks;
  report: ReportSecurityEvent;
  logger: Logger;
}

/** Creates the routes of signing in, users and API keys. */
export function identityRoutes({
  config,
  jwt,
  connection,
  outbox,
  passwordChecks: { attempts, attemptKeys, checkPassword, requireRecentSignIn },
  report,
  logger,
}: IdentityRoutesDeps): Route[] {
  const users = createUsersRepository(connection);
  const sessions = createSessionRepository(connection);
  const { maxRegistrationsPerAddress } = config.signIn;
  const limit = (what: string, keyOf: (address: string) => string) =>
    createAddressLimit(attempts, { keyOf, max: maxRegistrationsPerAddress, what });
  const limitRegistrations = limit('registrations', attemptKeys.ofRegistrations);
  const limitForgotten = limit('requests for a new password', attemptKeys.ofForgotten);
  const { accessTokenTtlSeconds, refreshTokenTtlSeconds, apiKeyTtlDays: ttlDays } = config.jwt;
  const passwordRules = createPasswordRules(config.signIn.shopName);
  const shared = {
    users,
    sessions,
    guests: createGuestRepository(connection),
    checkPassword,
    passwordRules,
    issueTokens: createIssueTokens(jwt, config.signIn.isSecondFactorRequired),
    accessTokenTtlSeconds,
    refreshTokenTtlSeconds,
  };
  const demoPassword = createDemoPasswordGuard(config.env, logger);
  const keys = createApiKeyRepository(connection);
  const accounts = createAccountRepository(connection);
  const mails = accountMails({ config, connection, outbox });
  const factors = createSecondFactorRepository(connection);
  const secrets = createSecretBox(config.payloadKeys, 'secrets of authenticator apps');
  const codes = createCodeCheck({ factors, secrets, attempts, attemptKeys });
  const account = { ...shared, accounts, factors, codes, attemptKeys, mails };
  const issuer = config.signIn.shopName ?? 'Orders';
  return [
    ...authRoutes(createAuthService({ ...account, demoPassword, limitRegistrations, report })),
    ...recoveryRoutes(createRecoveryService({ ...account, attempts, limitForgotten })),
    ...secondFactorRoutes(
      createSecondFactorService({ ...account, secrets, requireRecentSignIn, report, issuer }),
    ),
    ...userRoutes(createUsersService({ ...account, requireRecentSignIn, report })),
    ...apiKeyRoutes(createApiKeyService({ keys, requireRecentSignIn, ttlDays, report })),
  ];
}

/** Creates what mails the owners of accounts, and guests. */
export function accountMails({
  config,
  connection,
  outbox,
}: Pick<IdentityRoutesDeps, 'config' | 'connection' | 'outbox'>): AccountMails {
  return createAccountMails({
    users: createUsersRepository(connection),
    accounts: createAccountRepository(connection),
    outbox,
    attempts: createAttemptRepository(connection),
    attemptKeys: createAttemptKeys(config.jwt.keys[0]!.signingKey!),
    accountPageUrl: config.mail.accountPageUrl,
    shopName: config.signIn.shopName,
  });
}

export type Credentials = ReturnType<typeof followCredentials>;

/** Follows the revocation of access tokens and API keys. */
export function followCredentials(mongodb: MongoDb, logger: Logger, report?: ReportSecurityEvent) {
  const { connection } = mongodb;
  const revokedTokens = followRevokedTokens(
    createRevokedTokensRepository(connection),
    createEndedSessionsRepository(connection),
    mongodb,
    logger,
  );
  const apiKeys = createApiKeyCache(createApiKeyRepository(connection), mongodb, logger, report);
  const { ready, close } = together([revokedTokens, apiKeys]);
  let loaded = false;
  return {
    revokedTokens,
    apiKeys,
    ready: ready.then(() => void (loaded = true)),
    isLoaded: () => loaded,
    close,
  };
}
