import { join } from 'node:path';
import { CHECKS } from './exceptions';
import type { KnownValues } from './known-values';

/** The variable with the token, so that no list of processes and no file shows it. */
export const TOKEN_VARIABLE = 'FUZZ_TOKEN';
const REQUEST_TIMEOUT_S = 30;
const HOOKS = join(__dirname, 'hooks.py');

/** Returns the configuration of schemathesis (TOML) for one run. */
export function settings(known: Map<string, KnownValues[]>, isSignedIn: boolean): string {
  const dictionaries: [name: string, values: string[]][] = [];
  const operations = [...known].flatMap(([operationId, values]) => {
    if (values.length === 0) return [];
    const bindings = values.map(({ parameter, values: entries, probability }, index) => {
      const dictionary = `${operationId}-${index}`;
      dictionaries.push([dictionary, entries]);
      return `${toml(parameter)} = { dictionary = ${toml(dictionary)}, probability = ${probability.toFixed(2)} }`;
    });
    return [
      '[[operations]]',
      `include-operation-id = ${toml(operationId)}`,
      '[operations.parameters]',
      ...bindings,
    ];
  });
  return [
    `request-timeout = ${REQUEST_TIMEOUT_S}`,
    'continue-on-failure = true',
    `hooks = ${toml(HOOKS)}`,
    '[cache]',
    'enabled = false', // so that earlier runs do not change this one
    '[auth]',
    'auto-signup = false', // an unauthenticated caller stays one
    ...(isSignedIn ? ['[auth.openapi.bearerAuth]', `bearer = "\${${TOKEN_VARIABLE}}"`] : []),
    ...Object.entries(CHECKS).flatMap(([check, expectation]) => [
      `[checks.${check}]`,
      ...Object.entries(expectation).map(([key, values]) => `${key} = ${toml(values)}`),
    ]),
    '[dictionaries]',
    ...dictionaries.map(([name, values]) => `${toml(name)} = { values = ${toml(values)} }`),
    ...operations,
    '',
  ].join('\n');
}

/** Strings and lists of strings look the same in TOML and JSON. */
function toml(value: string | string[]): string {
  return JSON.stringify(value);
}
