import pino from 'pino';
import { serializeError } from '../../src/logger/error-serializer';
import { createLogger } from '../../src/logger/logger';

function lines(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  log(createLogger({ env: 'production', logLevel: 'info' }, { write: (line) => void (text += line) }));
  return text;
}

describe('the logger', () => {
  it.each(['password', 'accessToken', 'authorization', 'email'])(
    'hides %s at each of the upper three levels',
    (key) => {
      const text = lines((logger) =>
        logger.info({ [key]: 'hunter2', a: { [key]: 'hunter2', b: { [key]: 'hunter2' } } }),
      );
      expect(text).not.toContain('hunter2');
      expect(text).toContain('[redacted]');
    },
  );

  it('writes the level as a word and the time as ISO 8601', () => {
    expect(JSON.parse(lines((logger) => logger.warn('careful')))).toMatchObject({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      msg: 'careful',
    });
  });

  it('removes keys, e-mail addresses and credentials from errors and their causes, and all other properties', () => {
    const cause = Object.assign(new Error('for carol@example.com, dup key: { name: "Carol" }'), {
      keyValue: { email: 'x' },
    });
    const error = Object.assign(new Error('mongodb://user:hunter2@host:1 failed', { cause }), {
      code: 11_000,
    });
    const serialized = serializeError(error);
    expect(serialized).toMatchObject({
      type: 'Error',
      code: 11_000,
      message: 'mongodb://[redacted]@host:1 failed',
      cause: { message: 'for [redacted], dup key: [redacted]' },
    });
    expect(JSON.stringify(serialized)).not.toMatch(/carol|Carol|hunter2|keyValue/);
  });

  it('serializes other values than errors, and a limited number of causes', () => {
    expect(serializeError('carol@example.com')).toEqual({ type: 'string', message: '[redacted]' });
    const loop = new Error('loop');
    loop.cause = loop;
    expect(JSON.stringify(serializeError(loop)).match(/"message"/g)).toHaveLength(6);
  });

  describe('without a destination', () => {
    const { isTTY } = process.stdout;
    const transport = jest.spyOn(pino, 'transport').mockReturnValue({ write: () => true } as never);
    const destination = jest.spyOn(pino, 'destination').mockReturnValue({ write: () => true } as never);
    afterEach(() => {
      process.stdout.isTTY = isTTY;
      jest.clearAllMocks();
    });
    afterAll(() => jest.restoreAllMocks());

    it.each([
      { env: 'development', terminal: true, isPretty: true },
      { env: 'development', terminal: false, isPretty: false },
      { env: 'production', terminal: true, isPretty: false },
    ] as const)('is readable: $isPretty, in $env on a terminal: $terminal', ({ env, terminal, isPretty }) => {
      process.stdout.isTTY = terminal;
      createLogger({ env, logLevel: 'info' });
      const pretty = [[expect.objectContaining({ target: 'pino-pretty' })]];
      expect(transport.mock.calls).toEqual(isPretty ? pretty : []);
      expect(destination.mock.calls).toEqual(isPretty ? [] : [[{ dest: 1, sync: true }]]);
    });
  });
});
