import type { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { createProcessLogger } from '../../src/process/logger';
import { runNode } from '../support/entries';

it.each(['thrown', 'rejected'])(
  'writes what would be printed as lines of JSON, and ends by what is %s',
  async (how) => {
    const { code, stdout, stderr } = await runNode(
      ['--import', 'tsx', join(__dirname, '..', 'support', 'noisy-process.ts'), how],
      {},
    );
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { level: 'info', process: 'noisy', msg: 'printed by a library', text: 'to [redacted]' },
      {
        level: 'error',
        msg: 'printed by a library',
        text: expect.stringMatching(/^Error: printed\n/) as string,
      },
      { level: 'warn', msg: 'warning of Node.js', err: { message: 'careful' } },
      { level: 'info', msg: 'alive' },
      { level: 'fatal', process: 'noisy', msg: 'uncaught error', err: { message: how } },
    ]);
    expect([code, stderr]).toEqual([1, '']);
  },
);

describe('of this process', () => {
  const { console } = globalThis;
  const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  let lines: Record<string, unknown>[] = [];

  beforeAll(() => {
    globalThis.console = { ...console };
    const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
    createProcessLogger({ env: 'production', logLevel: 'debug' }, 'api', { write });
  });
  beforeEach(() => (lines = []));
  afterAll(() => {
    globalThis.console = console;
    process.removeAllListeners('uncaughtException').removeAllListeners('warning');
    exit.mockRestore();
  });

  it.each([
    ['debug', 'debug'],
    ['trace', 'debug'],
    ['log', 'info'],
    ['info', 'info'],
    ['warn', 'warn'],
    ['error', 'error'],
  ] as const)('writes what is printed by console.%s at the level %s, without addresses', (method, level) => {
    globalThis.console[method]('%d mails to %s', 2, 'carol@example.com');
    expect(lines).toMatchObject([
      { level, process: 'api', msg: 'printed by a library', text: '2 mails to [redacted]' },
    ]);
  });

  it('writes a warning of Node.js once', () => {
    process.emit('warning', new Error('careful'));
    expect(lines).toMatchObject([{ level: 'warn', msg: 'warning of Node.js', err: { message: 'careful' } }]);
    expect(exit).not.toHaveBeenCalled();
  });

  it('writes an uncaught error, and ends', () => {
    (process as EventEmitter).emit('uncaughtException', new Error('thrown'));
    expect(lines).toMatchObject([
      { level: 'fatal', process: 'api', msg: 'uncaught error', err: { message: 'thrown' } },
    ]);
    expect(exit).toHaveBeenCalledWith(1);
  });
});
