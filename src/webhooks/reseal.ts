import type { Logger } from 'pino';
import type { SecretBox } from '../common/secret-box';
import { untilDone } from '../common/until-done';
import { validSecrets } from '../domain/webhook';
import type { EndpointRepository } from './endpoints.repository';

export interface ResealDeps {
  endpoints: Pick<EndpointRepository, 'all' | 'reseal'>;
  secrets: SecretBox;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Aborts when the process stops. */
  signal: AbortSignal;
}

/**
 * Seals the secrets of endpoints with the first key of PAYLOAD_KEYS that another one has sealed, and says so in the log: then
 * the other one can be dropped. Every worker does it when it starts: one is enough, and more do no harm.
 */
export function resealSecrets({ endpoints, secrets, logger, signal }: ResealDeps): Promise<void> {
  const resealAll = async () => {
    let resealed = 0;
    for (const { id, secrets: stored } of await endpoints.all()) {
      const lives = stored.map(({ sealed, expiresAt }) => ({
        sealed,
        expiresAt: expiresAt?.getTime() ?? null,
      }));
      const valid = validSecrets(lives, Date.now());
      for (const { sealed } of valid.filter((one) => !secrets.isCurrent(one.sealed))) {
        await endpoints.reseal(id, sealed, secrets.seal(secrets.open(sealed, id), id));
        resealed++;
      }
    }
    if (resealed > 0) logger.info({ resealed }, 'secrets of webhook endpoints sealed anew');
  };
  return untilDone(resealAll, {
    failure: 'secrets of webhook endpoints cannot be sealed anew; retrying',
    logger,
    signal,
  });
}
