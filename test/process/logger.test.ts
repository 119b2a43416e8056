import { join } from 'node:path';
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
