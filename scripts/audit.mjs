// Asks the registry for known vulnerabilities in what runs in production. Each finding must be fixed, or
// explained in audit-exceptions.json: { "GHSA-…": "why it does not affect us" }. A registry that does not
// support audits, such as a mirror, is reported, and fails only with --required, with an exit code of its own.
// Other arguments are passed to npm; AUDIT_EXCEPTIONS names another file, for the tests.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const EXCEPTIONS = process.env.AUDIT_EXCEPTIONS ?? path.join(ROOT, 'audit-exceptions.json');
/** The exit code of an audit that is required and that nobody answered, as opposed to one with findings. */
const UNANSWERED = 2;
const NPM_ARGS = ['audit', '--omit', 'dev', '--json', '--package-lock-only'];

const own = process.argv.slice(2);
const explained = JSON.parse(readFileSync(EXCEPTIONS, 'utf8'));
const report = ask(own.filter((argument) => argument !== '--required'));

if (!report.vulnerabilities) {
  console.error(`no audit: ${report.message ?? report.error?.summary ?? 'the registry did not respond'}`);
  console.error('Use a registry that supports audits: npm run audit -- --registry=<its address>');
  process.exitCode = own.includes('--required') ? UNANSWERED : 0;
} else {
  process.exitCode = judge(report.vulnerabilities) ? 0 : 1;
}

function ask(args) {
  const { stdout, error } = spawnSync('npm', [...NPM_ARGS, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  try {
    return JSON.parse(stdout);
  } catch {
    return { message: error?.message ?? 'npm gave no report' };
  }
}

/** Returns whether every finding has an explanation and every explanation its finding. */
function judge(vulnerabilities) {
  const advisories = new Map();
  for (const { name, via } of Object.values(vulnerabilities)) {
    for (const cause of via) {
      // A string names another package with the finding, which has its own entry.
      if (typeof cause === 'object') advisories.set(cause.url.split('/').at(-1), { name, ...cause });
    }
  }
  for (const [id, { name, severity, title }] of advisories) {
    console.log(`${id in explained ? 'explained' : 'FINDING'}  ${id}  ${severity}  ${name}: ${title}`);
    if (id in explained) console.log(`           ${explained[id]}`);
  }
  const stale = Object.keys(explained).filter((id) => !advisories.has(id));
  for (const id of stale)
    console.log(`STALE  ${id} is explained in ${EXCEPTIONS}, but is no longer found: remove it`);
  const open = [...advisories.keys()].filter((id) => !(id in explained));
  console.log(`${advisories.size} known vulnerabilities, ${open.length} of them not explained`);
  return open.length === 0 && stale.length === 0;
}
