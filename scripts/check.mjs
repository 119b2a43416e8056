// Runs everything that must pass, until something fails, and says how long each part took.
import { spawnSync } from 'node:child_process';

const PARTS = [
  'lint',
  'format:check',
  'typecheck',
  'deps',
  'unused',
  'lint:deploy',
  'lint:lockfile',
  'test:all',
  'fuzz:short',
  'chaos',
  'test:clients',
];

const times = [];
for (const part of PARTS) {
  console.log(`\n== npm run ${part}`);
  const start = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', part], { stdio: 'inherit' });
  times.push(`${((performance.now() - start) / 1_000).toFixed(1).padStart(8)} s  ${part}`);
  if (status === 0) continue;
  console.log(`\n"npm run ${part}" failed: see above.`);
  process.exitCode = status ?? 1;
  break;
}
console.log(['', 'Times:', ...times].join('\n'));
