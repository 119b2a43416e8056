import openapiTypes, { astToString, type OpenAPI3 } from 'openapi-typescript';
import type { OperationSpec } from '../../clients/typescript/src/client';
import type { OpenApiDocument } from '../../src/openapi/document';

type Content = Record<string, { schema: object }>;

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: object;
}

/** What the client needs of an operation of the document. */
interface Operation {
  operationId: string;
  summary: string;
  description: string;
  security: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { description: string; headers?: object; content?: Content }>;
}

interface SecurityScheme {
  type: string;
  in?: string;
  name?: string;
  description?: string;
}

/** Methods of changes whose repeats have no further effect (RFC 9110). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['put', 'delete']);

/** Returns the parts of the TypeScript client that are made from the OpenAPI document, by their file names. */
export async function clientSources(document: OpenApiDocument): Promise<Record<string, string>> {
  return {
    'operations.generated.ts': operationTable(document),
    'api.generated.ts': await apiTypes(document),
  };
}

/** Their comments are what editors show of the methods of the client. */
function operationTable({ paths }: OpenApiDocument): string {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => {
      const spec = JSON.stringify(specOf(method, path, operation));
      return `${commentOf(operation)}  ${operation.operationId}: ${spec},\n`;
    }),
  );
  return `import type { OperationSpec } from './client.js';

export const OPERATIONS = {
${entries.join('')}} satisfies Record<string, OperationSpec>;
`;
}

function specOf(method: string, path: string, { parameters, responses }: Operation): OperationSpec {
  const isKeyed = parameters.some(({ name }) => name === 'Idempotency-Key');
  const isReplayed = Object.values(responses).some(({ headers = {} }) => 'Idempotent-Replayed' in headers);
  return {
    method: method.toUpperCase(),
    path,
    ...(isKeyed && { isKeyed }),
    ...(!isKeyed && (isReplayed || IDEMPOTENT.has(method)) && { isRepeatable: true }),
  };
}

function commentOf({ summary, description }: Operation): string {
  const lines = `${summary}\n\n${description}`.replaceAll('*/', '*\\/').split('\n');
  return `  /**\n${lines.map((line) => `   * ${line}`.trimEnd()).join('\n')}\n   */\n`;
}

async function apiTypes(document: OpenApiDocument): Promise<string> {
  const { openapi, info, components } = document;
  const schemes = components.securitySchemes as Record<string, SecurityScheme>;
  const paths = Object.entries(document.paths).map(([path, methods]) => [
    path,
    Object.fromEntries(
      Object.entries(methods as Record<string, Operation>).map(([method, operation]) => [
        method,
        reduced(operation, schemes),
      ]),
    ),
  ]);
  const schemas = {
    openapi,
    info,
    paths: Object.fromEntries(paths),
    components: { schemas: components.schemas },
  };
  const types = await openapiTypes(schemas as OpenAPI3, {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    defaultNonNullable: false, // a request may leave out what has a default
  });
  return astToString(types);
}

/** Without problems, which are all of one type, and without examples and headers of responses, which no type needs. */
function reduced(operation: Operation, schemes: Record<string, SecurityScheme>): object {
  const { operationId, parameters, security, requestBody, responses } = operation;
  const tokens = security.flatMap((entry) => Object.keys(entry)).flatMap((name) => headerOf(schemes[name]!));
  const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  return {
    operationId,
    parameters: [...parameters, ...tokens],
    ...(requestBody && { requestBody: { ...requestBody, content: schemasOf(requestBody.content) } }),
    responses: Object.fromEntries(
      successes.map(([status, { description, content }]) => [
        status,
        { description, ...(content && { content: schemasOf(content) }) },
      ]),
    ),
  };
}

/** A token that is no access token is sent as a header of its own. */
function headerOf({ type, in: place, name, description }: SecurityScheme): Parameter[] {
  if (type !== 'apiKey' || place !== 'header') return [];
  return [{ name: name!, in: place, description, schema: { type: 'string' } }];
}

function schemasOf(content: Content): Content {
  return Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, { schema }]));
}
