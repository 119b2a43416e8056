import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';

const TYPES = { 1: 'A', 5: 'CNAME', 28: 'AAAA' } as const;
const NO_SUCH_NAME = 3;

/** What a name has: addresses in bytes, or another name as it is encoded. */
type Zone = Record<string, Partial<Record<'A' | 'AAAA' | 'CNAME', Buffer>>>;

/** Opens a DNS server that knows these names, and a resolver that asks it. */
export async function openDns(zone: Zone) {
  const socket = createSocket('udp4', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = TYPES[query.readUInt16BE(at + 1) as keyof typeof TYPES];
    const found = zone[labels.join('.').toLowerCase()];
    const answers = Object.entries(found ?? {}).filter(([name]) => name === type || name === 'CNAME');
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 + (found ? 0 : NO_SUCH_NAME), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    const records = answers.map(([name, data]) => {
      const code = Object.entries(TYPES).find(([, one]) => one === name)![0];
      const record = Buffer.from([0xc0, 12, 0, Number(code), 0, 1, 0, 0, 0, 60, 0, data.length]);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const resolver = new Resolver({ tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return { resolver, close: () => socket.close() };
}
