import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createUnit, type Death, type OwnedUnit } from '../../../tools/chaos/rig/unit';

const ON = (what: string): string => `process.on('SIGTERM', () => ${what});`;

describe('a process of the chaos rig', () => {
  let folder: string;
  let unit: OwnedUnit;
  let deaths: Death[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orders-unit-'));
    deaths = [];
  });

  afterEach(async () => {
    await unit.end('SIGKILL');
    await unit.stop();
    await rm(folder, { recursive: true });
  });

  /** Starts a process, and resolves when it has said something. */
  async function start(code: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      unit = createUnit({
        name: 'worker-1',
        command: process.execPath,
        args: ['-e', `${code} setInterval(() => undefined, 1000); console.log('up')`],
        logFile: join(folder, 'log'),
        graceMs: 500,
        onLine: () => resolve(),
        onDeath: (death) => deaths.push(death),
      });
      unit.start().catch(reject);
    });
  }

  it('may be told to stop, and does so', async () => {
    await start(ON('process.exit(0)'));
    expect(await unit.end('SIGTERM')).toBe('ended with code 0 after SIGTERM');
    expect([await unit.end('SIGTERM'), unit.isRunning, deaths]).toEqual([undefined, false, []]);
  });

  it.each([
    ['ends with an error', ON('process.exit(3)'), 'ended with code 3 after SIGTERM'],
    ['does not end in time', ON('undefined'), 'had not ended 0.5 s after SIGTERM'],
  ])('has died of a fault of its own if it is told to stop and %s', async (_name, code, how) => {
    await start(code);
    expect(await unit.end('SIGTERM')).toBe(how);
    expect(deaths).toEqual([{ name: 'worker-1', how, isAfterThaw: false }]);
  });

  it('is killed while it is frozen without doing anything more, and its end is not a fault of its own', async () => {
    await start('');
    unit.freeze();
    expect(await unit.end('SIGKILL')).toBe('was ended by SIGKILL');
    expect(deaths).toEqual([]);
  });
});
