import { readFileSync } from 'node:fs';
import { OPENAPI_FILE, printedOpenApi } from '../../tools/openapi';

it('docs/openapi.json is the document that the API serves', () => {
  const isCurrent = readFileSync(OPENAPI_FILE, 'utf8') === printedOpenApi();
  if (!isCurrent) throw new Error('Run "npm run docs:openapi", which refuses what would break a client.');
});
