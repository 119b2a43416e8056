// `npm run reset`: removes the development data, unless an `npm start` is using them.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const FOLDER = path.resolve(ROOT, process.env.DATA_DIR || '.data');
/** What `npm start` puts there; anything else in the folder means that it is not ours to remove. */
const OURS = new Set([
  'jwt-secret',
  'logs',
  'mongodb',
  'run.json',
  'temporal.db',
  'temporal.db-shm',
  'temporal.db-wal',
]);

function reset() {
  if (!existsSync(FOLDER)) return `${FOLDER} is not there, nothing to remove`;
  const user = livingUser();
  if (user) throw new Error(`${FOLDER} is in use by ${user}; stop npm start first (Ctrl-C)`);
  const foreign = readdirSync(FOLDER).find((name) => !OURS.has(name));
  if (foreign)
    throw new Error(`${FOLDER} holds ${foreign}, which npm start did not make; is DATA_DIR right?`);
  rmSync(FOLDER, { recursive: true });
  return `${FOLDER} is removed`;
}

/** The first living process of those that the run file names. */
function livingUser() {
  const file = path.join(FOLDER, 'run.json');
  if (!existsSync(file)) return undefined;
  const { pid, processes } = JSON.parse(readFileSync(file, 'utf8'));
  const [name, living] =
    Object.entries({ 'npm start': pid, ...processes }).find(([, id]) => isAlive(id)) ?? [];
  return name && `${name} (process id ${living})`;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

try {
  console.log(reset());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
