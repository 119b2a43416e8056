import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Mail, Mailer } from './mail';

export interface Outbox {
  /**
   * Sends the mail that `write` returns, if any, once the response is on its way, so that neither the response nor the time
   * it takes tells whether there is one.
   * @param kind what the mail is about, for the log
   */
  post(kind: string, write: () => Promise<Mail | null>): void;
  /** Resolves when nothing is left to send. */
  drain(): Promise<void>;
}

const AT_ONCE = 4;
const MAX_WAITING = 1_000;
/** How long to wait before each repetition, in milliseconds. */
const RETRY_MS = [1_000, 5_000];

export function createOutbox(mailer: Pick<Mailer, 'send'>, logger: Logger): Outbox {
  const turns = pLimit(AT_ONCE);
  const unsent = new Set<Promise<void>>();

  async function deliver(kind: string, write: () => Promise<Mail | null>): Promise<void> {
    const mail = await write().catch((err: unknown) => {
      logger.error({ err, mail: kind }, 'a mail was not written');
      return null;
    });
    if (!mail) return;
    await send(mail).then(
      () => logger.info({ mail: kind }, 'mail sent'),
      (error: unknown) => logger.error({ ...withoutAddresses(error), mail: kind }, 'a mail was not sent'),
    );
  }

  async function send(mail: Mail): Promise<void> {
    for (const waitMs of RETRY_MS) {
      try {
        return await mailer.send(mail);
      } catch (error) {
        if (isPermanent(error)) throw error;
        await delay(waitMs);
      }
    }
    await mailer.send(mail);
  }

  return {
    post(kind, write) {
      if (turns.pendingCount >= MAX_WAITING) {
        logger.error({ mail: kind }, 'a mail was not sent, since too many are waiting');
        return;
      }
      const afterResponse = new Promise((resolve) => setImmediate(resolve));
      const delivery = afterResponse.then(() => turns(() => deliver(kind, write)));
      unsent.add(delivery);
      void delivery.finally(() => unsent.delete(delivery));
    },
    async drain() {
      while (unsent.size > 0) await Promise.all(unsent);
    },
  };
}

/** Returns whether the server has rejected the mail for good (RFC 5321, 4.2.1). */
function isPermanent(error: unknown): boolean {
  const { responseCode } = error as { responseCode?: number };
  return responseCode !== undefined && responseCode >= 500;
}

/** Servers repeat the addresses that they reject. */
function withoutAddresses(error: unknown): { code?: string; responseCode?: number; command?: string } {
  const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
  return { code, responseCode, command };
}
