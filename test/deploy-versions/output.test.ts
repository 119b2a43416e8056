import { linesOf, stranded } from '../../src/deploy-versions/output';
import type { Version } from '../../src/versions/deployment';

const version = (buildId: string, fields: Partial<Version>): Version => ({
  buildId,
  status: 'inactive',
  open: 0,
  pollers: 0,
  wasCurrent: false,
  ...fields,
});

it('lists the versions, and says nothing more if all is as it should be', () => {
  const versions = [
    version('c0ffee', { pollers: 1 }),
    version('5eed', { status: 'ramping', percentage: 10, open: 3, pollers: 2 }),
    version('0ld', { status: 'current', open: 1_200, pollers: 2 }),
  ];
  expect(linesOf('orders', '5eed', versions)).toEqual([
    'Worker Deployment orders',
    'build             status         open workflows  workers',
    'c0ffee            inactive       0               1',
    '5eed (this code)  ramping, 10 %  3               2',
    '0ld               current        1200            2',
  ]);
});

it.each<[string, Version[], string[]]>([
  [
    'workers of an older version were stopped while orders are open on it',
    [version('new', { status: 'current', pollers: 1 }), version('old', { status: 'draining', open: 7 })],
    ['7 workflows wait for workers of old: start them again and run move, or without them run abandon old.'],
  ],
  [
    'those of the current version',
    [version('new', { status: 'current', open: 7 })],
    ['7 workflows wait for workers of new: start them.'],
  ],
  [
    'those of the current version, on which nothing is open',
    [version('new', { status: 'current' }), version('old', { status: 'drained', pollers: 1 })],
    [
      'The current version new has no workers: start them, or make another one current.',
      'Nothing runs on old: its workers may be stopped.',
    ],
  ],
  [
    'orders have not moved yet',
    [
      version('new', { status: 'current', pollers: 1 }),
      version('old', { status: 'draining', open: 7, pollers: 1 }),
    ],
    ['7 workflows are still on old: keep its workers, and run move.'],
  ],
  [
    'no version is current',
    [version('new', { pollers: 1 })],
    ['No version is current, so new orders wait: run set-current.'],
  ],
])('says what to do if %s', (_, versions, advice) => {
  expect(linesOf('orders', 'other', versions).slice(2 + versions.length)).toEqual(advice);
});

it('a version is without workers if something is open on it and none polls', () => {
  const versions = [version('a', { open: 1 }), version('b', { open: 1, pollers: 1 }), version('c', {})];
  expect(stranded(versions).map(({ buildId }) => buildId)).toEqual(['a']);
});
