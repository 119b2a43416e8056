import type { Description, Schema } from 'joi';
import { descriptionOf } from './description';

/** Returns the example of a schema, or one composed of the examples of its parts. */
export function exampleOf(schema: Schema): unknown {
  return fromDescription(descriptionOf(schema));
}

function fromDescription(description: Description): unknown {
  const own = (description.examples as unknown[] | undefined)?.[0];
  if (own !== undefined) return own;
  if (description.type === 'array') return fromItems(description.items as Description[] | undefined);
  if (description.type === 'object')
    return fromKeys(description.keys as Record<string, Description> | undefined);
  return undefined;
}

function fromItems(items: Description[] = []): unknown[] | undefined {
  const examples = items.map(fromDescription).filter((example) => example !== undefined);
  return examples.length > 0 ? examples : undefined;
}

function fromKeys(keys: Record<string, Description> = {}): Record<string, unknown> | undefined {
  const entries = Object.entries(keys).map(
    ([key, part]) => [key, fromDescription(part), isRequired(part)] as const,
  );
  const isIncomplete = entries.some(([, example, required]) => required && example === undefined);
  const known = entries
    .filter(([, example]) => example !== undefined)
    .map(([key, example]) => [key, example]);
  return isIncomplete || known.length === 0
    ? undefined
    : (Object.fromEntries(known) as Record<string, unknown>);
}

function isRequired({ flags }: Description): boolean {
  return (flags as { presence?: string } | undefined)?.presence === 'required';
}
