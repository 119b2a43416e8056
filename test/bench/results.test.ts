import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultPage, type StoredResult } from '../../bench/harness/results';
import { PROJECT_ROOT } from '../../tools/project';

const FOLDER = join(PROJECT_ROOT, 'bench', 'results');
const SCENARIOS = readdirSync(FOLDER).flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? []);

it.each(SCENARIOS)('the page of %s shows what is stored', (scenario) => {
  const read = (extension: string) => readFileSync(join(FOLDER, `${scenario}.${extension}`), 'utf8');
  expect(read('md')).toBe(resultPage(JSON.parse(read('json')) as StoredResult));
});
