import type { Answer, Sent, WholeApi } from './whole-api';
import { sampleOf, type Operation } from './operations';

type Target = WholeApi['operations'][number];

/** One request that must not do anything. */
export interface Attack {
  target: Target;
  /** Where the payload is and what it is, for the message. */
  what: string;
  request: Partial<Sent>;
  /** undefined when the answer is as it has to be. */
  objection(answer: Answer): string | undefined;
}

const AT_A_TIME = 16;
const SHOWN = 20;

/** A request that is valid in all but its payload. */
export function validRequest(operation: Operation, token?: string): Sent {
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

/** 400 for the payload and for nothing else, so that all the rest of the request was valid. */
export function blames(path: string): Attack['objection'] {
  return ({ status, code, errors = [] }) => {
    if (status !== 400 || code !== 'validation_failed') return `${status} ${code} instead of 400`;
    const others = errors.filter((error) => error.path !== path && !error.path.startsWith(`${path}.`));
    return others.length === 0 ? undefined : `it complains of ${JSON.stringify(others)}`;
  };
}

export function oneOf(...statuses: number[]): Attack['objection'] {
  return ({ status, code }) =>
    statuses.includes(status) ? undefined : `${status} ${code} instead of ${statuses.join(' or ')}`;
}

/** Makes all of them, and names those whose answers are not as they have to be. */
export async function failuresOf(attacks: readonly Attack[], token?: string): Promise<string[]> {
  const failures: string[] = [];
  const queue = [...attacks];
  const work = async () => {
    for (let attack = queue.pop(); attack; attack = queue.pop()) {
      const { target, what, request, objection } = attack;
      const answer = await target
        .send(merged(validRequest(target, token), request))
        .catch((error: Error) => ({ status: 0, code: error.message }));
      const complaint = objection(answer);
      if (complaint !== undefined) failures.push(`${target.id}, ${what}: ${complaint}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return failures.slice(0, SHOWN);
}

function merged(valid: Sent, request: Partial<Sent>): Sent {
  return { ...valid, ...request, headers: { ...valid.headers, ...request.headers } };
}
