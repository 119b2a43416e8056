import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { ordersCsv, CSV_COLUMNS } from '../../../src/orders/orders-csv';
import type { Order } from '../../../src/domain/order';
import { orderIn } from '../../domain/fixtures';
import { eventually } from '../../support/eventually';
import { lines, openOrderApi, type OrderApi, type OrderBody } from '../../support/order-api';
import { person, type Person } from '../../support/signed-in-users';

let api: OrderApi;
let server: Server;
let admin: string;
let alice: Person;
let first: OrderBody;
let second: OrderBody;
beforeAll(async () => {
  api = await openOrderApi();
  const handle = api.app.callback();
  server = createServer((request, response) => void handle(request, response)).listen(0);
  await once(server, 'listening');
  admin = api.tokenOf('ADMIN');
  alice = await person(api);
  const shirt = await api.shop.sell({ name: '=HYPERLINK("http://evil.example")' });
  const fitting = await api.shop.sell({ name: 'Fitting, "deluxe"' });
  const body = { ...lines([shirt.id, 2], [fitting.id, 1]), note: '+49 30\nPlease ring', externalRef: '@PO' };
  first = (await api.place(alice.accessToken, { ...body, metadata: { a: 'b' } }).expect(201)).body.data;
  second = await api.placed(alice.accessToken, [fitting.id, 1]);
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await api.close();
});
afterEach(() => jest.restoreAllMocks());

const pathFor = (query = '') => `/orders/export.csv?customerId=${alice.id}${query}`;

/** Reads CSV as RFC 4180 has it. */
function parse(csv: string): Record<string, string>[] {
  const cells = [...csv.matchAll(/("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n)/g)];
  const rows: string[][] = [[]];
  for (const [, cell, end] of cells) {
    rows.at(-1)!.push(cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!);
    if (end === '\r\n') rows.push([]);
  }
  const [header, ...records] = rows.slice(0, -1);
  return records.map((row) => Object.fromEntries(header!.map((name, n) => [name, row[n]!])));
}

describe('GET /orders/export.csv', () => {
  it('has a row for each line, newest order first, with what concerns the whole order in the first one', async () => {
    const { text, headers } = await api.call('get', pathFor(), admin).expect(200);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': expect.stringMatching(/^attachment; filename="orders-\d{4}-\d\d-\d\d\.csv"$/),
    });
    const rows = parse(text);
    expect(Object.keys(rows[0]!)).toEqual(CSV_COLUMNS);
    expect(rows.map(({ id }) => id)).toEqual([second.id, first.id, first.id]);
    expect(rows.map(({ number }) => number)).toEqual([second.number, first.number, first.number]);
    expect(rows.map(({ sku }) => sku)).toEqual([second, first].flatMap(skusOf));
    expect(rows.map(({ orderTotal }) => orderTotal)).toEqual([`${second.total}`, `${first.total}`, '']);
    const sum = rows.reduce((total, row) => total + Number(row.total), 0);
    expect(sum).toBe(first.total + second.total);
    expect(rows[1]).toMatchObject({
      status: 'confirmed',
      quantity: '2',
      currency: 'EUR',
      metadata: '{"a":"b"}',
    });
  });

  it('is a path of its own, and no id of an order', async () => {
    const { headers } = await api.call('options', pathFor(), admin).expect(204);
    expect(headers.allow).toBe('GET, HEAD, OPTIONS');
  });

  it('defuses what spreadsheets would run, and keeps commas, quotes and line breaks', async () => {
    const rows = parse((await api.call('get', pathFor(), admin).expect(200)).text);
    expect(rows.map(({ name }) => name)).toEqual([
      'Fitting, "deluxe"',
      `'=HYPERLINK("http://evil.example")`,
      'Fitting, "deluxe"',
    ]);
    expect(rows[1]).toMatchObject({ note: "'+49 30\nPlease ring", externalRef: "'@PO" });
  });

  it('takes the filters of the list, and is of the same order', async () => {
    const ids = async (query: string) =>
      parse((await api.call('get', pathFor(query), admin).expect(200)).text).map(({ id }) => id);
    expect(await ids(`&number=${second.number.toLowerCase()}`)).toEqual([second.id]);
    expect(await ids('&metadata[a]=b&status=confirmed,pending')).toEqual([first.id, first.id]);
    expect(await ids(`&updatedFrom=${first.updatedAt}`)).toEqual([first.id, first.id, second.id]);
    expect(await ids('&archived=true')).toEqual([]);
    expect(await ids('&email=nobody@example.com')).toEqual([]);
    await api.call('get', pathFor('&limit=5'), admin).expect(400);
    await api.call('get', pathFor('&from=2026-02-01&to=2026-01-01'), admin).expect(400);
  });

  it('is compressed if the client takes that, and answers HEAD without reading on', async () => {
    const plain = (await api.call('get', pathFor(), admin).expect(200)).text;
    const response = await open(pathFor(), { 'Accept-Encoding': 'gzip' });
    const parts = await response.toArray();
    expect(response.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(Buffer.concat(parts)).toString()).toBe(plain);
    const head = await api.call('head', pathFor(), admin).expect(200);
    expect(head.headers['content-disposition']).toMatch(/^attachment/);
    expect(head.headers['content-length']).toBeUndefined();
  });

  it('is a problem if the first page cannot be read, and cut off if another one cannot', async () => {
    const page = await pageOf500();
    const list = jest.spyOn(api.shop.orders, 'list').mockRejectedValueOnce(new Error('The disk is full.'));
    await api.call('get', pathFor(), admin).expect(500);
    for (const encoding of ['identity', 'gzip']) {
      list.mockResolvedValueOnce(page).mockResolvedValueOnce(page);
      list.mockRejectedValueOnce(new Error('The disk is full.'));
      const response = await open(pathFor(), { 'Accept-Encoding': encoding });
      await expect(response.toArray()).rejects.toThrow('aborted');
    }
  });

  it('reads no further than a slow client, and stops when the client goes away', async () => {
    const page = await pageOf500();
    const list = jest.spyOn(api.shop.orders, 'list').mockResolvedValue(page);
    const response = await open(pathFor(), {});
    await once(response, 'readable'); // and reads nothing
    const before = await untilIdle(() => list.mock.calls.length);
    expect(before).toBeLessThan(200); // of an endless number
    response.destroy();
    const after = await untilIdle(() => list.mock.calls.length);
    expect(after - before).toBeLessThan(5);
  });
});

it('keeps one page in memory, of the 2,000 that a million orders have', async () => {
  const page = Array.from({ length: 5 }, (_, n) => orderIn({ id: `ord_${n}` }));
  let read = 0;
  async function* pages(): AsyncGenerator<Order[]> {
    for (; read < 2_000; read++) yield page;
  }
  let written = 0;
  let mostAhead = 0;
  const csv = Readable.from(ordersCsv(pages()), { objectMode: false });
  for await (const part of csv) {
    written += String(part).length > 0 ? 1 : 0;
    mostAhead = Math.max(mostAhead, read - written);
  }
  expect([read, mostAhead <= 2]).toEqual([2_000, true]);
});

const skusOf = ({ items }: OrderBody): string[] => items.map(({ sku }: { sku: string }) => sku);

async function pageOf500(): Promise<Order[]> {
  const order = (await api.shop.orders.findById(first.id))!;
  return Array.from({ length: 500 }, () => order);
}

async function open(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const request = get({
    port: (server.address() as AddressInfo).port,
    path: `${api.config.http.prefix}${path}`,
    headers: { Authorization: `Bearer ${admin}`, ...headers },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** Resolves with the figure when it has stayed the same for many turns of the event loop. */
async function untilIdle(figure: () => number): Promise<number> {
  let last = -1;
  await eventually(async () => {
    const now = figure();
    const isSame = now === last && now > 0;
    last = now;
    expect(isSame).toBe(true);
  });
  return last;
}
