import type { ApiRequest, ApiResponse, WholeApi } from './whole-api';
import { sample } from '../support/sample';
import { sampleOf, type Operation } from './operations';

type Target = WholeApi['operations'][number];

/** A request that must have no effect. */
export interface Attack {
  target: Target;
  /** The place and the payload, for the message of the test. */
  what: string;
  request: Partial<ApiRequest>;
  /** Returns undefined if the response is as expected. */
  objection(response: ApiResponse): string | undefined;
}

const AT_A_TIME = 16;
const SHOWN = 20;

/** Returns a valid request. */
export function validRequest(operation: Operation, token?: string): ApiRequest {
  const { method, path, parameters, body, example } = operation;
  const headers = parameters
    .filter((parameter) => parameter.in === 'header' && parameter.required)
    .map(({ name, schema }) => [name, sampleOf(schema)]);
  return {
    method,
    path: pathOf(path, parameters),
    token,
    headers: Object.fromEntries(headers) as Record<string, string>,
    ...(body ? { body: JSON.stringify(example) } : {}),
  };
}

export function pathOf(
  path: string,
  parameters: Operation['parameters'],
  values: Record<string, string> = {},
): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const { schema } = parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)!;
    return encodeURIComponent(values[name] ?? (sampleOf(schema) as string));
  });
}

/** Expects 400 because of the payload alone, so that the rest of the request was valid. */
export function blames(path: string): Attack['objection'] {
  return ({ status, code, errors = [] }) => {
    if (status !== 400 || code !== 'validation_failed') return `${status} ${code} instead of 400`;
    const others = errors.filter((error) => error.path !== path && !error.path.startsWith(`${path}.`));
    return others.length === 0 ? undefined : `it also rejects ${JSON.stringify(others)}`;
  };
}

export function oneOf(...statuses: number[]): Attack['objection'] {
  return ({ status, code }) =>
    statuses.includes(status) ? undefined : `${status} ${code} instead of ${statuses.join(' or ')}`;
}

/** Sends a sample of the attacks and returns a message for each unexpected response. */
export async function failuresOf(attacks: readonly Attack[], token?: string): Promise<string[]> {
  const failures: string[] = [];
  const queue = sample('edge: attacks of each kind', attacks, { groupOf: ({ target }) => target.id });
  const work = async () => {
    for (let attack = queue.pop(); attack; attack = queue.pop()) {
      const { target, what, request, objection } = attack;
      const response = await target
        .send(merged(validRequest(target, token), request))
        .catch((error: Error) => ({ status: 0, code: error.message }));
      const unexpected = objection(response);
      if (unexpected !== undefined) failures.push(`${target.id}, ${what}: ${unexpected}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return failures.slice(0, SHOWN);
}

function merged(valid: ApiRequest, request: Partial<ApiRequest>): ApiRequest {
  return { ...valid, ...request, headers: { ...valid.headers, ...request.headers } };
}
