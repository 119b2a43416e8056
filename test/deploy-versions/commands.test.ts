import { run, type CommandDeps } from '../../src/deploy-versions/commands';
import { parseOptions } from '../../src/deploy-versions/options';
import type { Version } from '../../src/versions/deployment';

const version = (buildId: string, fields: Partial<Version> = {}): Version => ({
  buildId,
  status: 'draining',
  open: 1,
  pollers: 0,
  wasCurrent: true,
  ...fields,
});

/** Abandons `old` where there are these versions. Nothing but looking at them is possible. */
function abandon(versions: Version[]): Promise<number> {
  const deployment = { versions: async () => versions } as unknown as CommandDeps['deployment'];
  return run(parseOptions(['abandon', 'old']), {
    deployment,
    client: {} as CommandDeps['client'],
    own: 'new',
    signal: new AbortController().signal,
    print: () => undefined,
    progress: () => undefined,
  });
}

const current = version('new', { status: 'current', pollers: 1 });

it.each<[string, Version[], string]>([
  ['that does not exist', [current], 'There is no version old'],
  ['that has workers', [current, version('old', { pollers: 1 })], 'run move instead, or stop them first'],
  ['that is current', [version('old', { status: 'current' })], 'make another one current first'],
  [
    'that gets a share of new orders',
    [current, version('old', { status: 'ramping', percentage: 10 })],
    'run ramp 0 first, or set-current',
  ],
  ['while no version is current', [version('old')], 'run set-current first'],
  [
    'while no worker could resume its orders',
    [{ ...current, pollers: 0 }, version('old')],
    'No worker of the current version new asks for work: start its workers first',
  ],
])('abandons no version %s', async (_, versions, message) => {
  await expect(abandon(versions)).rejects.toThrow(message);
});
