// Asks the registry for known vulnerabilities of what runs in production. Each finding has to be gone, or explained in
// audit-exceptions.json: { "GHSA-…": "why it does not concern us" }. Where the registry does not answer audits, as a
// mirror may not, it says so; with --required that is a failure.
// Other arguments go to npm; AUDIT_EXCEPTIONS names another file, for the tests.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const EXCEPTIONS = process.env.AUDIT_EXCEPTIONS ?? path.join(ROOT, 'audit-exceptions.json');
const NPM_ARGS = ['audit', '--omit', 'dev', '--json', '--package-lock-only'];

const own = process.argv.slice(2);
const explained = JSON.parse(readFileSync(EXCEPTIONS, 'utf8'));
const report = ask(own.filter((argument) => argument !== '--required'));

if (!report.vulnerabilities) {
  console.error(`no audit: ${report.message ?? report.error?.summary ?? 'the registry did not answer'}`);
  console.error('Ask a registry that knows advisories: npm run audit -- --registry=<its address>');
  process.exitCode = own.includes('--required') ? 1 : 0;
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

/** Whether nothing is left to do: neither a finding without an explanation, nor an explanation without its finding. */
function judge(vulnerabilities) {
  const advisories = new Map();
  for (const { name, via } of Object.values(vulnerabilities)) {
    for (const cause of via) {
      // A text names the package that brings the finding in, which has an entry of its own.
      if (typeof cause === 'object') advisories.set(cause.url.split('/').at(-1), { name, ...cause });
    }
  }
  for (const [id, { name, severity, title }] of advisories) {
    console.log(`${id in explained ? 'explained' : 'FINDING'}  ${id}  ${severity}  ${name}: ${title}`);
    if (id in explained) console.log(`           ${explained[id]}`);
  }
  const stale = Object.keys(explained).filter((id) => !advisories.has(id));
  for (const id of stale)
    console.log(`STALE  ${id} is explained in ${EXCEPTIONS}, and is no finding any more: remove it`);
  const open = [...advisories.keys()].filter((id) => !(id in explained));
  console.log(`${advisories.size} known vulnerabilities, ${open.length} of them not explained`);
  return open.length === 0 && stale.length === 0;
}
