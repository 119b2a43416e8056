import type { JsonSchema } from './json-schema';
import { portable } from './portable-schema';

/** What all operations refer to, by name. */
export interface Components {
  schemas: Record<string, JsonSchema>;
  responses: Record<string, object>;
  examples: Record<string, object>;
  headers: Record<string, object>;
}

export interface ComponentRegistry {
  components: Components;
  /** Adds a schema under this name, and those of its parts that have names of their own. Returns the reference. */
  refer(name: string, schema: JsonSchema): JsonSchema;
  /** Returns the schema with references to those of its parts that have names, which derive from this one. */
  inline(name: string, schema: JsonSchema): JsonSchema;
  /** Returns a reference to a header, or the header itself if others of its name say something else. */
  header(name: string, description: string): object;
  /** Returns a reference to what `make` returns, which is added when the name is new. */
  response(name: string, make: () => object): { $ref: string };
  example(name: string, make: () => object): { $ref: string };
}

/**
 * Collects the components of a document, so that generators of clients find one name for one thing.
 * @throws if two schemas that differ have one name: give one of them another, by `.meta({ component: … })`
 */
export function createComponents(common: Readonly<Record<string, JsonSchema>>): ComponentRegistry {
  const components: Components = { schemas: {}, responses: {}, examples: {}, headers: {} };
  const { schemas } = components;
  const contents = new Map<string, string>();

  const refer = (name: string, schema: JsonSchema): JsonSchema => {
    const { title: _title, description: _description, ...compared } = schema;
    const content = JSON.stringify(compared);
    const known = contents.get(name);
    if (known !== undefined && known !== content)
      throw new Error(`Two different schemas are named ${name}:\n${known}\n${content}`);
    if (known === undefined) {
      contents.set(name, content);
      schemas[name] = {}; // keeps its place before those of its parts
      schemas[name] = portable(schema, name, refer);
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  const referTo =
    (kind: 'responses' | 'examples') =>
    (name: string, make: () => object): { $ref: string } => {
      components[kind][name] ??= make();
      return { $ref: `#/components/${kind}/${name}` };
    };
  for (const [name, schema] of Object.entries(common)) refer(name, schema);
  return {
    components,
    refer,
    inline: (name, schema) => portable(schema, name, refer),
    header(name, description) {
      const header = { description, schema: { type: 'string' } };
      components.headers[name] ??= header;
      const isSame = JSON.stringify(components.headers[name]) === JSON.stringify(header);
      return isSame ? { $ref: `#/components/headers/${name}` } : header;
    },
    response: referTo('responses'),
    example: referTo('examples'),
  };
}
