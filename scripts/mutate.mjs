// Changes the code of the domain in every way that Stryker knows, one change at a time, and reports those that no test notices.
// Arguments are the sources to change, which are all of stryker.config.mjs by default: files, patterns or lines of a
// file (`src/domain/money.ts:20-30`). What follows the first option is passed to Stryker. With `--save` as the first
// option, the results of these sources go to bench/results/mutants/domain.json and domain.md; name whole files then.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const REPORT = path.join(ROOT, 'mutants', 'report.json');
const RESULTS = path.join(ROOT, 'bench', 'results', 'mutants', 'domain.json');

/** Merges the results of a report into those that are kept, of sources that are still there. */
function save() {
  const kept = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
  const at = new Date().toISOString().slice(0, 10);
  const { files } = JSON.parse(readFileSync(REPORT, 'utf8'));
  for (const [file, { mutants }] of Object.entries(files)) {
    const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
    kept[file] = {
      killed: count('Killed', 'Timeout'),
      survived: count('Survived', 'NoCoverage'),
      equivalent: count('Ignored'),
      seed: Number(process.env.TEST_SEED || 1),
      at,
    };
  }
  const rows = Object.entries(kept)
    .filter(([file]) => existsSync(path.join(ROOT, file)))
    .sort(([one], [other]) => one.localeCompare(other));
  writeFileSync(RESULTS, `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`);
  writeFileSync(RESULTS.replace(/json$/, 'md'), tableOf(rows));
}

function tableOf(rows) {
  const sum = (field) => rows.reduce((total, [, result]) => total + result[field], 0);
  const all = { killed: sum('killed'), survived: sum('survived'), equivalent: sum('equivalent') };
  const lines = [...rows, ['**All**', { ...all, seed: '', at: '' }]].map(([file, result]) => {
    const { killed, survived, equivalent, seed, at } = result;
    const share = killed + survived === 0 ? '' : `${Math.floor((100 * killed) / (killed + survived))} %`;
    return [file, killed, survived, equivalent, share, seed, at];
  });
  const table = [['Source', 'Killed', 'Lived', 'Equivalent', 'Killed of all', 'Seed', 'Tried on'], ...lines];
  const widths = table[0].map((_, n) => Math.max(...table.map((cells) => String(cells[n]).length)));
  const [head, ...body] = table.map(
    (cells) => `| ${cells.map((one, n) => String(one).padEnd(widths[n])).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return ['# Mutants', '', 'See "Mutants" in docs/testing.md.', '', head, rule, ...body, ''].join('\n');
}

const given = process.argv.slice(2);
const firstOption = given.findIndex((argument) => argument.startsWith('-'));
const options = firstOption < 0 ? [] : given.splice(firstOption);
const isSaved = options[0] === '--save';
if (isSaved) options.shift();
const mutate = given.length > 0 ? ['--mutate', given.join(',')] : [];
rmSync(REPORT, { force: true }); // of a run before
const stryker = path.join(ROOT, 'node_modules', '.bin', 'stryker');
const { status, signal } = spawnSync(stryker, ['run', ...mutate, ...options], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (signal) process.kill(process.pid, signal);
if (isSaved && status !== null && existsSync(REPORT)) save();
process.exitCode = status ?? 1;
