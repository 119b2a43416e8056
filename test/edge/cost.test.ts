import { WORST_REQUESTS, type WorstRequest } from '../../bench/edge/worst-requests';
import type { JsonSchema } from '../../src/openapi/json-schema';
import { pathOf, validRequest } from './attack';
import { fieldsOf, replaced } from './fields';
import { openWholeApi, type ApiRequest, type ApiResponse, type WholeApi } from './whole-api';

type Target = WholeApi['operations'][number];

/** What refusing a request may cost beyond what it costs to send and refuse as much of what is harmless. */
const MAX_CPU_MS = 20;
/**
 * What else the process does at the time costs something, but not every time, and while other processes crowd the caches of
 * the processor, everything costs more. What is dear stays dear.
 */
const ATTEMPTS = 50;
/** So many requests that cost too much are enough to know. */
const MAX_MESSAGES = 5;
/** Just below the limit of bodies, and of headers with everything else that a request has in them. */
const BODY_BYTES = 95_000;
const HEADER_BYTES = 12_000;
/** The most of an answer that a client may draw out of the API by mistakes. */
const MAX_ANSWER_BYTES = 64_000;
/** A text is read up to so many UTF-16 units for each of its characters. */
const UNITS_PER_CHARACTER = 8;

/** What texts are repeated of: what is dear to compose, to count, to trim, to match or to parse. */
const UNITS: Readonly<Record<string, string>> = {
  'combining marks of two classes': '\u0301\u0323',
  'jamos that become one syllable': '\u1100\u1161\u11a8',
  'letters that are taken apart': '\u1f82\u0390',
  'families of emoji': '\u{1f469}\u{1f3fd}\u200d\u{1f680}',
  'flags of tags': '\u{1f3f4}\u{e0067}\u{e0062}',
  'variation selectors': '\ufe0f',
  joiners: '\u200d',
  'one letter': 'a',
  digits: '9',
  spaces: ' ',
  'tabs and spaces': '\t ',
  'line breaks': '\r\n',
  backslashes: '\\',
  quotes: '"',
  commas: ',',
  'labels of domains': 'xn--a.',
  'at signs': '@',
  'dots between digits': '1.',
  'alternating quotes and commas': '"",',
  parameters: ';a="',
};

/** The unit, again and again, after something that is visible and not trimmed. */
function textOf(unit: string, bytes: number, sizeOf = jsonSize): string {
  const text = unit.repeat(Math.floor(bytes / sizeOf(unit)));
  return `a${text}`;
}

/** What no text may have, so that it is refused whatever is before it. */
const REFUSED = '\0!';

const jsonSize = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;
const escapedSize = (text: string) => encodeURIComponent(text).length;

let api: WholeApi;
beforeAll(async () => {
  api = await openWholeApi();
});
afterEach(() => api.expectUnchanged());
afterAll(() => api.close());

/** Returns the least processor time of this process, client and server, for one of several such requests. */
async function cpuOf(send: () => Promise<unknown>, enough: number): Promise<number> {
  let least = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && least > enough; attempt++) {
    const began = process.cpuUsage();
    await send();
    const { user, system } = process.cpuUsage(began);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

/** A request that has to be refused. */
interface Case {
  target: Target;
  what: string;
  request: Partial<ApiRequest>;
}

/** Returns a message for each request that costs too much, or that is not refused. */
async function dear(cases: readonly Case[], plain: number): Promise<string[]> {
  const messages: string[] = [];
  for (const { target, what, request } of cases) {
    const valid = validRequest(target, api.tokens.ADMIN);
    const whole = { ...valid, ...request, headers: { ...valid.headers, ...request.headers } };
    const answers: ApiResponse[] = [];
    const spent = await cpuOf(async () => answers.push(await target.send(whole)), MAX_CPU_MS + plain);
    const [{ status }] = answers as [ApiResponse];
    const isRefused = status >= 400 && status < 500 && status !== 429;
    if (spent > MAX_CPU_MS + plain) messages.push(`${target.id}, ${what}: ${Math.round(spent)} ms`);
    if (!isRefused) messages.push(`${target.id}, ${what}: ${status}`);
    if (messages.length >= MAX_MESSAGES) break;
  }
  return messages;
}

/** What it costs to send a request of that size here, and to refuse it at once. */
function plainCost(bytes: number): Promise<number> {
  const target = api.operations.find(({ id }) => id === 'login')!;
  const body = JSON.stringify({ email: 'x'.repeat(bytes), password: 'x' });
  return cpuOf(() => target.send({ ...validRequest(target), body }), 0);
}

const isText = ({ type, enum: values }: JsonSchema) =>
  values === undefined && [type].flat().some((one) => one === 'string' || one === undefined);

it('no string field of a body costs much to refuse, at the limit of bodies and at that of the field', async () => {
  const plain = await plainCost(BODY_BYTES);
  const fields = api.operations.flatMap((target) =>
    (target.body ? fieldsOf(target.body) : [])
      .filter(({ schema }) => isText(schema))
      .map((field) => ({ target, ...field })),
  );
  expect(fields.length).toBeGreaterThan(40);
  const cases = fields.flatMap(({ target, path, schema }) =>
    Object.entries(UNITS).flatMap(([name, unit]) => {
      const { maxLength } = schema as { maxLength?: number };
      const whole = textOf(unit, BODY_BYTES);
      const longest = whole.slice(0, (maxLength ?? 0) * UNITS_PER_CHARACTER - REFUSED.length);
      return [whole, ...(maxLength === undefined ? [] : [longest])].map((text): Case => ({
        target,
        what: `${path.join('.')} of ${text.length} units, ${name}`,
        request: { body: JSON.stringify(replaced(target.example!, path, text + REFUSED)) },
      }));
    }),
  );
  expect(await dear(cases, plain)).toEqual([]);
});

it('no parameter of a path, a query or a header costs much to refuse', async () => {
  const plain = await plainCost(HEADER_BYTES);
  const cases = api.operations.flatMap((target) =>
    target.parameters.flatMap((parameter) =>
      Object.entries(UNITS).flatMap(([name, unit]): Case[] => {
        const isHeader = parameter.in === 'header';
        // The client would refuse to send what no header may have.
        if (isHeader && !/^[\t\x20-\x7e]+$/.test(unit)) return [];
        const text =
          textOf(unit, HEADER_BYTES, isHeader ? undefined : escapedSize) + (isHeader ? '!' : REFUSED);
        const what = `${parameter.name}, ${name}`;
        if (isHeader) return [{ target, what, request: { headers: { [parameter.name]: text } } }];
        const own = parameter.in === 'path' ? { [parameter.name]: text } : {};
        const path = pathOf(target.path, target.parameters, own);
        const query = parameter.in === 'query' ? `?${parameter.name}=${encodeURIComponent(text)}` : '';
        return [{ target, what, request: { path: path + query } }];
      }),
    ),
  );
  const texts = cases.filter(({ target, what }) => !isIgnored(target, what));
  expect(texts.length).toBeGreaterThan(500);
  expect(await dear(texts, plain)).toEqual([]);
});

/** A condition of reading that matches nothing is no mistake. */
function isIgnored({ method }: Target, what: string): boolean {
  return method === 'GET' && what.startsWith('if-');
}

it('no header that is read on every request costs much', async () => {
  const plain = await plainCost(HEADER_BYTES);
  const target = api.operations.find(({ id }) => id === 'getOrder')!;
  const names = [
    'Accept',
    'Accept-Encoding',
    'Authorization',
    'Content-Type',
    'Cookie',
    'If-Modified-Since',
    'If-None-Match',
    'Origin',
    'Prefer',
    'Range',
    'X-Forwarded-For',
    'X-Request-Id',
  ];
  const spent = names.flatMap((name) =>
    [...Object.values(UNITS), 'a;q=0.1,', 'gzip,', 'a=b;', 'Bearer ', 'W/"a",', '1.1.1.1, ']
      .filter((unit) => /^[\t\x20-\x7e]+$/.test(unit))
      .map((unit) => ({ name, unit })),
  );
  const messages = [];
  for (const { name, unit } of spent) {
    const headers = { [name]: textOf(unit, HEADER_BYTES) };
    const send = () => target.send({ ...validRequest(target, api.tokens.ADMIN), path: '/users/me', headers });
    const cpu = await cpuOf(send, MAX_CPU_MS + plain);
    if (cpu > MAX_CPU_MS + plain) messages.push(`${name}: ${unit}: ${Math.round(cpu)} ms`);
  }
  expect(messages).toEqual([]);
});

const ofCount = (count: number, one: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => one(n));

describe('a request with very many mistakes', () => {
  const login = (body: string) => ({ path: '/auth/login', body, expected: 400 });
  const keys = ofCount(40, (n) => `"${'k'.repeat(2_000)}${n}":0`).join();
  const longKey = 'k'.repeat(45_000);
  const CASES: readonly WorstRequest[] = [
    ...WORST_REQUESTS,
    { what: '40 unknown keys of 2 kB', ...login(`{${keys}}`) },
    { what: 'one key of 45 kB that is there twice', ...login(`{"${longKey}":0,"${longKey}":0}`) },
    { what: '3 000 ampersands', path: `/product-services?${'&'.repeat(3_000)}`, expected: 400 },
    {
      what: '1 200 entries of a map',
      path: `/orders?${ofCount(1_200, () => 'metadata[a]').join('&')}`,
      expected: 400,
    },
    { what: '20 000 levels', ...login(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) },
  ];

  it.each(CASES)('costs little and is told little: $what', async ({ path, body, expected }) => {
    const plain = await plainCost(BODY_BYTES);
    const { url } = api.operations.find(({ id }) => id === 'placeOrder')!;
    const token = { Authorization: `Bearer ${api.tokens.ADMIN}` };
    const headers = { ...token, 'Content-Type': 'application/json', 'Idempotency-Key': 'many' };
    const init = body === undefined ? { headers: token } : { method: 'POST', headers, body };
    const answers: [status: number, text: string][] = [];
    const send = async () => {
      const response = await fetch(url + path, init);
      answers.push([response.status, await response.text()]);
    };
    expect(await cpuOf(send, MAX_CPU_MS + plain)).toBeLessThan(MAX_CPU_MS + plain);
    const [got, text] = answers[0]!;
    expect(got).toBe(expected);
    expect(text.length).toBeLessThan(MAX_ANSWER_BYTES);
    expect((JSON.parse(text) as { errors?: unknown[] }).errors?.length ?? 0).toBeLessThanOrEqual(50);
  });
});
