import { SEARCH_ATTRIBUTES } from '../../workflows/contract';

/** The types as Temporal's command line spells them. */
const TYPE_NAMES: Readonly<Record<string, string>> = { KEYWORD: 'Keyword', INT: 'Int', BOOL: 'Bool' };

const ATTRIBUTES = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({
  name,
  type: TYPE_NAMES[type]!,
}));

/** The arguments with which a development server has the search attributes before the first client connects. */
export const SEARCH_ATTRIBUTE_FLAGS = ATTRIBUTES.map(
  ({ name, type }) => `--search-attribute=${name}=${type}`,
);

/** The command with which an administrator adds the search attributes to a namespace. */
export function searchAttributesCommand(namespace: string): string {
  const attributes = ATTRIBUTES.map(({ name, type }) => `--name ${name} --type ${type}`);
  return `temporal operator search-attribute create --namespace ${namespace} ${attributes.join(' ')}`;
}
