import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createTransport } from 'nodemailer';
import type { Logger } from 'pino';
import { ulid } from 'ulid';
import type { Config } from '../config';
import type { Mail, Mailer } from './mail';

const CONNECT_MS = 10_000;
const SOCKET_MS = 20_000;
const OWNER_ONLY = { folder: 0o700, file: 0o600 } as const;
/** Nothing in a mail may name a file or an address that is read for it. */
const TEXT_ONLY = { disableFileAccess: true, disableUrlAccess: true } as const;

/** Creates what sends mails: by the server of SMTP_URL, else into files. */
export function createMailer({ mail, env }: Pick<Config, 'mail' | 'env'>, logger: Logger): Mailer {
  return mail.smtpUrl === undefined
    ? createFileMailer(mail, logger)
    : createSmtpMailer({ ...mail, url: mail.smtpUrl, isProduction: env === 'production' });
}

interface SmtpOptions {
  url: string;
  from: string;
  isProduction: boolean;
}

/** A password or a mail is sent unencrypted in production only if the address says so. */
export function createSmtpMailer({ url, from, isProduction }: SmtpOptions): Mailer {
  const { protocol, searchParams } = new URL(url);
  const requireTLS = isProduction && protocol === 'smtp:' && searchParams.get('ignoreTLS') !== 'true';
  const transport = createTransport({
    url,
    pool: true,
    requireTLS,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SOCKET_MS,
    ...TEXT_ONLY,
  });
  return {
    async send(mail) {
      await transport.sendMail({ ...mail, from });
    },
    close: () => transport.close(),
  };
}

/** Writes mails to `DATA_DIR/mail`, and the log says where, for development. */
export function createFileMailer({ from, dataDir }: Config['mail'], logger: Logger): Mailer {
  const folder = resolve(dataDir, 'mail');
  return {
    async send(mail: Mail) {
      const file = join(folder, `${ulid()}.eml`);
      await mkdir(folder, { recursive: true, mode: OWNER_ONLY.folder });
      await writeFile(file, messageOf(mail, from), { mode: OWNER_ONLY.file });
      logger.info({ file, subject: mail.subject }, 'mail written to a file, since SMTP_URL is not set');
    },
    close: () => undefined,
  };
}

/** Returns the mail with its text as it is: encoded for servers of old, a link would be broken over two lines. */
function messageOf({ to, subject, text }: Mail, from: string): string {
  const headers = {
    From: from,
    To: to,
    Subject: subject,
    Date: new Date().toUTCString(),
    'MIME-Version': '1.0',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Transfer-Encoding': '8bit',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `${lines.join('\n')}\n\n${text}`;
}
