import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(__dirname, '../../docs/temporal-ui.md');
const VIEW = /^### (.+)\n[^#]*?```sql\n(.+)\n```/gm;

/** Returns the queries of the views that docs/temporal-ui.md has operators save, by their names. */
export function savedViews(): Map<string, string> {
  return new Map([...readFileSync(PAGE, 'utf8').matchAll(VIEW)].map(([, name, query]) => [name!, query!]));
}
