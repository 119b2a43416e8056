import { withBlock } from '../bench/harness/markdown';
import { VARIABLES, type Process, type Variable } from '../src/config';

const COMMENT_WIDTH = 110;
const PROCESS_NAMES: Readonly<Record<Process, string>> = { api: 'API', worker: 'worker', setup: 'setup' };

/** Puts a table of variables for each section of the configuration into the page. */
export function configurationPage(page: string): string {
  const tables = sections().map(([title, variables]) => `## ${title}\n\n${tableOf(variables)}`);
  return withBlock(page, 'variables', tables.join('\n\n'));
}

/** The template of `.env`: required variables are empty, all others are commented out. */
export function envExample(): string {
  const parts = sections().map(([title, variables]) =>
    [heading(title), ...variables.map(envLines)].join('\n\n'),
  );
  return `${[HEADER, ...parts, FOOTER].join('\n\n')}\n`;
}

const HEADER = `# Copy to .env, which git ignores. Docker Compose reads it automatically; for a process outside of containers:
#   node --env-file=.env dist/src/server.js
# Set the variables that are not commented out. Commented lines show the default, or an example where there is none.
# Written by \`npm run docs:configuration\`. \`npm start\` needs none of this.`;

const FOOTER = `${heading('Docker Compose')}

# Password of the user orders of MongoDB, in hexadecimal, required by docker-compose.production.yml. Make one: openssl rand -hex 24
#MONGODB_PASSWORD=

# Password of the user root of MongoDB, required by docker-compose.production.yml. Make one: openssl rand -hex 24
#MONGODB_ROOT_PASSWORD=

# Password of Temporal's PostgreSQL, required by docker-compose.production.yml. Make one: openssl rand -hex 24
#POSTGRES_PASSWORD=`;

function sections(): [title: string, Variable[]][] {
  const titles = [...new Set(VARIABLES.map(({ section }) => section))];
  return titles.map((title) => [title, VARIABLES.filter(({ section }) => section === title)]);
}

/** What Joi says of a rule, as far as it is documented. */
interface Described {
  flags?: { default?: string | number | string[]; description?: string; presence?: string; unit?: string };
  notes?: string[];
  examples?: string[];
}

interface Documented {
  description: string;
  /** In Markdown. */
  fallback: string;
  isRequired: boolean;
  /** What the template shows. */
  sample: string;
}

function documented({ rule }: Variable): Documented {
  const { flags = {}, notes, examples } = rule.describe() as Described;
  const value = [flags.default ?? []].flat().join(',');
  const constant = [value && `\`${value}\``, value && flags.unit].filter(Boolean).join(' ') || 'none';
  const fallback = flags.presence === 'required' ? 'required' : (notes?.[0] ?? constant);
  return {
    description: flags.description ?? '',
    fallback,
    isRequired: fallback.startsWith('required'),
    sample: examples?.[0] ?? value,
  };
}

function tableOf(variables: readonly Variable[]): string {
  const rows = variables.map((variable) => {
    const { description, fallback } = documented(variable);
    return [`\`${variable.name}\``, fallback, readersOf(variable), description];
  });
  const cells = [['Variable', 'Default', 'Read by', 'Meaning'], ...rows];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [lines[0]!, rule, ...lines.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function readersOf({ readBy }: Variable): string {
  const names = Object.keys(PROCESS_NAMES) as Process[];
  return readBy.length === names.length ? 'all' : readBy.map((name) => PROCESS_NAMES[name]).join(', ');
}

function envLines(variable: Variable): string {
  const { description, fallback, isRequired, sample } = documented(variable);
  const note = isRequired && fallback !== 'required' ? `${description} (${fallback})` : description;
  return `${commented(note)}\n${isRequired ? '' : '#'}${variable.name}=${sample}`;
}

/** Wraps Markdown into comment lines, but never within `code`. */
function commented(markdown: string): string {
  const words = markdown.match(/(`[^`]*`|\S)+/g) ?? [];
  const lines = words.reduce<string[]>(
    (wrapped, word) => {
      const text = word.replaceAll('`', '');
      const line = `${wrapped.at(-1)!} ${text}`;
      return line.length <= COMMENT_WIDTH ? [...wrapped.slice(0, -1), line] : [...wrapped, `# ${text}`];
    },
    ['#'],
  );
  return lines.join('\n');
}

function heading(title: string): string {
  return `# --- ${title} `.padEnd(COMMENT_WIDTH, '-');
}
