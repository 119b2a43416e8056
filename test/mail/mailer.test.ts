import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { createFileMailer, createSmtpMailer } from '../../src/mail/mailer';
import { createOutbox } from '../../src/mail/outbox';
import { startSmtpServer, type SmtpServer } from '../support/smtp-server';

const MAIL = {
  to: 'zo\u00eb@example.com',
  subject: 'Confirm',
  text: 'Open https://shop.example/#confirm=s3cret\n',
};
const FROM = 'Plum & Pear <shop@example.com>';

const lines: string[] = [];
const logger: Logger = pino({}, { write: (line: string) => void lines.push(line) });
beforeEach(() => void (lines.length = 0));

describe('a mail by SMTP', () => {
  let server: SmtpServer;
  beforeAll(async () => void (server = await startSmtpServer()));
  beforeEach(() => void (server.received.length = 0));
  afterAll(() => server.close());
  const mailer = (isProduction = false, query = '') =>
    createSmtpMailer({ url: `smtp://127.0.0.1:${server.port}${query}`, from: FROM, isProduction });

  it('arrives with its sender, recipient and text', async () => {
    const smtp = mailer();
    await smtp.send(MAIL);
    smtp.close();
    const [received] = server.received;
    expect(received).toContain('From: "Plum & Pear" <shop@example.com>');
    expect(received).toContain('#confirm=');
    expect(received).toMatch(/^Subject: Confirm$/m);
  });

  it('is not sent unencrypted in production, unless the address says so', async () => {
    const strict = mailer(true);
    await expect(strict.send(MAIL)).rejects.toThrow(/TLS|STARTTLS/i);
    strict.close();
    expect(server.received).toEqual([]);
    const said = mailer(true, '?ignoreTLS=true');
    await said.send(MAIL);
    said.close();
    expect(server.received).toHaveLength(1);
  });

  it('is sent again after a passing error, and not after a lasting one', async () => {
    const smtp = mailer();
    const outbox = createOutbox(smtp, logger);
    server.refusals.push('451 busy: zoe@example.com');
    outbox.post('confirm', async () => MAIL);
    await outbox.drain();
    expect(server.received).toHaveLength(1);
    server.refusals.push('550 no such mailbox: zoe@example.com', '550 never asked');
    outbox.post('reset', async () => MAIL);
    await outbox.drain();
    smtp.close();
    expect(server.received).toHaveLength(1);
    expect(server.refusals.splice(0)).toEqual(['550 never asked']);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { mail: 'confirm', msg: 'mail sent' },
      { mail: 'reset', responseCode: 550, msg: 'a mail was not sent' },
    ]);
    expect(lines.join()).not.toMatch(/s3cret|example\.com/);
  });
});

describe('a mail without SMTP_URL', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'mail-'))));
  afterAll(() => rm(folder, { recursive: true }));

  it('is written to a file of its owner, of which the log tells without the text', async () => {
    const mailer = createFileMailer({ from: FROM, dataDir: folder, accountPageUrl: 'x' }, logger);
    const link = `http://localhost:8080/account#confirm=${'s3cret'.repeat(7)}`; // longer than lines of mails of old
    await mailer.send({ ...MAIL, text: `Pr\u00fcfen Sie:\n\n${link}\n` });
    const [name, ...others] = await readdir(join(folder, 'mail'));
    expect(name).toMatch(/\.eml$/);
    expect(others).toEqual([]);
    const file = join(folder, 'mail', name!);
    expect(await readFile(file, 'utf8')).toMatch(
      new RegExp(`^From: Plum & Pear .*\nTo: zo\u00eb@example\\.com\n[^]*\n\nPr\u00fcfen Sie:\n\n${link}\n$`),
    );
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(JSON.parse(lines[0]!)).toMatchObject({ file, subject: 'Confirm' });
    expect(lines.join()).not.toContain('s3cret');
  });
});

describe('the outbox', () => {
  it('begins after the response, and continues after a mail that could not be written', async () => {
    const sent: string[] = [];
    const outbox = createOutbox({ send: async ({ subject }) => void sent.push(subject) }, logger);
    let begun = false;
    outbox.post('reset', async () => {
      begun = true;
      throw new Error('no database');
    });
    outbox.post('reset', async () => null);
    outbox.post('reset', async () => MAIL);
    await Promise.resolve();
    expect(begun).toBe(false);
    await outbox.drain();
    expect(begun).toBe(true);
    expect(sent).toEqual(['Confirm']);
    expect(lines.join()).toContain('a mail was not written');
  });
});
