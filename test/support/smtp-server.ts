import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface SmtpServer {
  port: number;
  /** The mails that were accepted, as they were sent. */
  received: string[];
  /** What the next mails are answered with instead, in order. */
  refusals: string[];
  close(): Promise<void>;
}

/** Starts a mail server that accepts everything, without TLS (RFC 5321). */
export async function startSmtpServer(): Promise<SmtpServer> {
  const received: string[] = [];
  const refusals: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let mail: string | undefined;
    const answer = (line: string) => void socket.write(`${line}\r\n`);
    const command = (line: string): void => {
      if (mail !== undefined) {
        if (line !== '.') return void (mail += `${line}\n`);
        received.push(mail);
        mail = undefined;
        return answer('250 accepted');
      }
      if (/^STARTTLS/i.test(line)) return answer('502 not here');
      if (/^DATA/i.test(line)) mail = '';
      const refusal = /^RCPT/i.test(line) ? refusals.shift() : undefined;
      answer(refusal ?? (mail === undefined ? '250 fine' : '354 send it'));
    };
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop()!;
      lines.forEach(command);
    });
    socket.on('error', () => undefined);
    answer('220 test');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    refusals,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
