// Requires that package.json has exact versions, and that package-lock.json has the SHA-512 of every package
// and no address of one, so that all come from the registry that npm is set to. `npm ci` checks the rest. An
// argument names another folder than the project's, for the tests.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = process.argv[2] ?? path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/**
 * An alias is allowed too, for example `npm:@typescript/typescript6@6.0.2`, and in overrides the version of a package of
 * package.json: `$typescript`.
 */
const EXACT = /^(\$[\w@/.-]+|(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.-]+)?)$/;
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

const { dependencies, devDependencies, optionalDependencies, overrides } = readJson('package.json');
const { lockfileVersion, packages } = readJson('package-lock.json');

const problems = [
  ...inexact({ dependencies, devDependencies, optionalDependencies, overrides }),
  ...(lockfileVersion === 3 ? [] : [`package-lock.json has version ${lockfileVersion}, not 3`]),
  ...Object.entries(packages).flatMap(([folder, entry]) => (folder === '' ? [] : doubtful(folder, entry))),
];

/** Overrides may be nested. */
function inexact(node, where = 'package.json') {
  return Object.entries(node ?? {}).flatMap(([key, value]) => {
    if (typeof value === 'object') return inexact(value, `${where}, ${key}`);
    return value === undefined || EXACT.test(value)
      ? []
      : [`${where}: ${key} is "${value}", not an exact version`];
  });
}

function doubtful(folder, { integrity, resolved, link }) {
  const from = resolved ?? (link ? 'a link' : undefined);
  return [
    ...(SHA512.test(integrity ?? '') ? [] : [`package-lock.json: ${folder} has no SHA-512`]),
    ...(from === undefined ? [] : [`package-lock.json: ${folder} comes from ${from}, not from the registry`]),
  ];
}

function readJson(name) {
  return JSON.parse(readFileSync(path.join(ROOT, name), 'utf8'));
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(
    'Install packages from the registry with "npm install --save-exact" and the settings of .npmrc.',
  );
  process.exitCode = 1;
} else {
  console.log(`${Object.keys(packages).length - 1} packages, each with an exact version and its SHA-512`);
}
