import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../tools/project';
import { logCallsIn, type LogCall } from '../support/log-messages';

const files = execFileSync('git', ['ls-files', 'src', 'activities', 'workflows'], {
  cwd: PROJECT_ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(PROJECT_ROOT, name));
const calls = files.flatMap(logCallsIn);
const sources = files.map((file) => readFileSync(file, 'utf8')).join();

/** Messages that only say who is wrong where, in words of their own. */
const SAYS_ALL = /^X-Forwarded-For came with a request/;

/** The messages of docs/logging.md, in the first column of its last table. */
const documented = readFileSync(join(PROJECT_ROOT, 'docs', 'logging.md'), 'utf8')
  .split('## Events that matter')[1]!
  .split('\n')
  .filter((line) => line.startsWith('| `') && !line.startsWith('| `msg`'))
  .flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, message]) => message!));

/** Lines of the SDK, which its own code writes. */
const OF_SDK = ['Activity failed', 'Workflow failed', 'Worker state changed'];

it('no message of the log has anything inserted: it would not be found again', () => {
  expect(calls.length).toBeGreaterThan(60);
  expect(calls.filter(({ isInterpolated }) => isInterpolated).map(({ at }) => at)).toEqual([]);
});

it('each message that docs/logging.md names is written somewhere', () => {
  const own = documented.filter((message) => !OF_SDK.includes(message));
  expect(own.filter((message) => !sources.includes(`'${message}'`))).toEqual([]);
});

it('docs/logging.md names each message that someone may have to act on', () => {
  const isLoud = ({ level }: LogCall) => ['warn', 'error', 'fatal'].includes(level);
  const loud = new Set(calls.filter(isLoud).flatMap(({ messages }) => messages));
  const missing = [...loud].filter((message) => !documented.includes(message) && !SAYS_ALL.test(message));
  expect(missing).toEqual([]);
});
