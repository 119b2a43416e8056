// Writes sbom.cdx.json, the bill of materials of the API and the workers in CycloneDX 1.5, from the lockfile
// alone.
// @cyclonedx/cyclonedx-npm would leave out the hashes, because this lockfile has no addresses of packages.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = 'sbom.cdx.json';
process.chdir(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const { status, stdout, stderr, error } = spawnSync('npm', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
if (status === 0) {
  const sbom = withoutDevelopment(JSON.parse(stdout), readJson('package-lock.json').packages);
  sbom.metadata.component.name = readJson('package.json').name; // npm uses the folder's name
  writeFileSync(FILE, `${JSON.stringify(sbom, null, 2)}\n`);
  console.log(`${FILE}: ${sbom.components.length} packages`);
} else {
  console.error(`npm sbom failed: ${error?.message ?? stderr.trim()}`);
  process.exitCode = 1;
}

/**
 * Uses the marks of the lockfile: `npm sbom --omit dev` (11.19) loses packages that development dependencies
 * use too.
 */
function withoutDevelopment(sbom, packages) {
  const kept = new Set([sbom.metadata.component['bom-ref']]);
  for (const [folder, { name = folder.replace(/^.*node_modules\//, ''), version, dev }] of Object.entries(
    packages,
  )) {
    if (!dev) kept.add(`${name}@${version}`);
  }
  return {
    ...sbom,
    components: sbom.components.filter((component) => kept.has(component['bom-ref'])),
    dependencies: sbom.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) })),
  };
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
