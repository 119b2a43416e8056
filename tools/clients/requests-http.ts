import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onceInCache } from '../cache';
import { secondsSince, type Output } from '../output';
import { PROJECT_ROOT } from '../project';
import { run } from '../run';
import { available } from './generated-clients';

const FOLDER = join(PROJECT_ROOT, 'docs');
const FILE = 'requests.http';
const RESPONSES = 'responses.json';
const CONFIG = 'httpyac.config.js';
/** The line of the file that says where the system is. */
const ORIGIN = /^@origin = .*$/m;
/** Its lockfile has the hashes of what it consists of: 213 packages, which the project needs for nothing else. */
const HTTPYAC = join(__dirname, 'httpyac');
const NPM_CI = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
const TIMEOUT_MS = 600_000;
/** What a request gets, unless a comment says something else. */
const SUCCESS = /^(2\d\d|304)$/;
const REQUEST = /^(?:GET|POST|PUT|PATCH|DELETE) /m;
const EXPECTED = /^# Answers (\d{3})\b/m;

interface Sent {
  title: string;
  line: number;
  response?: { statusCode: number; body?: string };
}

/**
 * Installs httpyac once per user.
 * @throws {SetupError} if the registry cannot be reached
 */
export async function httpyac(output: Output): Promise<string> {
  const lockfile = await readFile(join(HTTPYAC, 'package-lock.json'));
  const hash = createHash('sha256').update(lockfile).digest('hex').slice(0, 12);
  const folder = await onceInCache(`httpyac-${hash}`, process.env, async (staging) => {
    const start = Date.now();
    output.line('httpyac: installing it by npm …');
    const target = join(staging, 'httpyac');
    await mkdir(target);
    await cp(HTTPYAC, target, { recursive: true });
    await available('npm', NPM_CI, { cwd: target });
    output.line(`httpyac: done, ${secondsSince(start)}`);
    return target;
  });
  return join(folder, 'node_modules', 'httpyac', 'bin', 'httpyac.js');
}

/**
 * Sends docs/requests.http from start to end. Returns how many requests it has.
 * @param folder for a copy of the file, to a system that need not be where the file says
 * @throws {Error} for wrong answers
 */
export async function sendRequests(program: string, baseUrl: string, folder: string): Promise<number> {
  const text = await readFile(join(FOLDER, FILE), 'utf8');
  await mkdir(folder);
  await copyFile(join(FOLDER, CONFIG), join(folder, CONFIG));
  await writeFile(join(folder, FILE), text.replace(ORIGIN, `@origin = ${new URL(baseUrl).origin}`));
  // It ends without waiting for a pipe to take what it has printed.
  const toFile = ['-c', `exec "$0" "$@" > ${RESPONSES}`, process.execPath, program];
  const args = [...toFile, 'send', FILE, '--all', '--json', '--output', 'response'];
  const { code, stderr } = await run('sh', args, { cwd: folder, timeoutMs: TIMEOUT_MS });
  const printed = await readFile(join(folder, RESPONSES), 'utf8');
  const { requests } = parse(printed, `${stderr}\nhttpyac ended with ${code}`);
  const lines = text.split('\n');
  const wrong: string[] = [];
  let right = 0;
  for (const { line, title, response } of requests) {
    const next = lines.findIndex((each, index) => index > line && each.startsWith('###'));
    const block = lines.slice(line, next === -1 ? undefined : next).join('\n');
    if (!REQUEST.test(block)) continue; // a heading
    const [, expected] = EXPECTED.exec(block) ?? [];
    const status = String(response?.statusCode ?? 'nothing');
    if (expected === undefined ? SUCCESS.test(status) : status === expected) right++;
    else wrong.push(`docs/requests.http:${line + 1} ${title}: ${status} ${response?.body ?? ''}`);
  }
  const written = text.match(new RegExp(REQUEST, 'gm'))!.length;
  if (right + wrong.length !== written)
    wrong.push(`${right + wrong.length} of ${written} requests were sent`);
  if (wrong.length > 0) throw new Error(`\n${wrong.join('\n')}\n${stderr}`);
  return right;
}

function parse(stdout: string, otherwise: string): { requests: Sent[] } {
  try {
    return JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { requests: Sent[] };
  } catch {
    throw new Error(`${stdout}\n${otherwise}`);
  }
}
