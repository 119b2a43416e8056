import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCallLog, readCallLog } from '../../../tools/chaos/log';

describe('the log of calls', () => {
  it('keeps what was asked for and what became of it; what has no end may yet be done', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orders-chaos-log-'));
    try {
      const file = join(folder, 'calls.jsonl');
      const log = openCallLog(file);
      const asked = { client: 'a', key: 'k', args: { items: [{ productId: 'ps_1', quantity: 2 }] } };
      log.invoke({ ...asked, id: 'a-1', op: 'order.place', subject: null });
      log.invoke({ ...asked, id: 'b-1', op: 'order.place', subject: null });
      log.settle('a-1', {
        process: 'api-1',
        outcome: 'ok',
        status: 201,
        subject: 'order:ord_1',
        version: 3,
        attempts: [{ sent: 1, returned: 2, process: 'api-1', status: 201 }],
      });
      log.invoke({ ...asked, id: 'a-2', op: 'order.cancel', subject: 'order:ord_1' });
      log.settle('a-2', { process: 'api-2', outcome: 'unknown', status: 503, attempts: [] });
      await log.close();
      await appendFile(file, '\n');
      const calls = await readCallLog(file);
      expect(calls).toEqual([
        expect.objectContaining({ ...asked, id: 'a-1', subject: 'order:ord_1', outcome: 'ok', version: 3 }),
        expect.objectContaining({ id: 'b-1', subject: null, outcome: 'unknown', status: null, attempts: [] }),
        expect.objectContaining({ id: 'a-2', subject: 'order:ord_1', outcome: 'unknown', status: 503 }),
      ]);
      const [first, second, third] = calls.map(({ at }) => at);
      expect(first!.returned).toBeGreaterThanOrEqual(second!.invoked);
      expect([second!.returned, third!.returned]).toEqual([null, null]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
