import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTE_FLAGS, searchAttributesCommand } from '../../src/temporal/search-attributes';

const read = (file: string) => readFileSync(join(__dirname, '../..', file), 'utf8');

it('spells name and type as the command line of Temporal does', () => {
  expect(SEARCH_ATTRIBUTE_FLAGS).toContain('--search-attribute=OrderTotal=Int');
  expect(searchAttributesCommand('shop')).toMatch(
    /^temporal operator search-attribute create --namespace shop --name OrderStatus --type Keyword /,
  );
});

it('has the search attributes that docker-compose.yml has', () => {
  const { services } = parse(read('docker-compose.yml')) as { services: { temporal: { command: string[] } } };
  const flags = services.temporal.command.filter((argument) => argument.startsWith('--search-attribute'));
  expect(flags).toEqual(SEARCH_ATTRIBUTE_FLAGS);
});

it('has the search attributes that docs/deployment.md has', () => {
  const page = read('docs/deployment.md').replace(/\\\n */g, '');
  expect(page).toContain(searchAttributesCommand('default'));
});
