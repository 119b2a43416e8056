import { AppError } from '../errors/app-error';

const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
const ENTITY_TAG_LIST = /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e\x80-\xff]*")*$/;

/** The strong entity tag of a version, such as `"3"`. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Reads an If-Match header (RFC 9110, 13.1.1) and returns the check that a version must pass.
 * Without the header it throws 428, and the check throws 412 when the version is not among those listed.
 */
export function requireIfMatch(header: string | undefined): (version: number) => void {
  const value = header?.trim();
  if (!value) {
    throw new AppError(
      'precondition_required',
      'Changing this needs an If-Match header: send the ETag of the version you have read.',
    );
  }
  if (value === '*') return () => undefined;
  if (!ENTITY_TAG_LIST.test(value)) throw malformed();
  const tags = strongTags(value);
  return (version) => {
    if (!tags.has(etagOf(version))) throw stale(version);
  };
}

/** Whether a cached copy is still good (RFC 9110, 13.1.2): weak comparison, since compression may weaken a tag. */
export function matchesIfNoneMatch(header: string | undefined, version: number): boolean {
  const value = header?.trim();
  if (!value) return false;
  if (value === '*') return true;
  return [...value.matchAll(ENTITY_TAG)].some(([, , tag]) => tag === String(version));
}

function strongTags(list: string): Set<string> {
  const strong = [...list.matchAll(ENTITY_TAG)].filter(([, weak]) => !weak);
  return new Set(strong.map(([tag]) => tag));
}

function stale(version: number): AppError {
  const detail = `It has been changed meanwhile and is at version ${version}: read it again, then repeat the change.`;
  return new AppError('precondition_failed', detail, {
    headers: { ETag: etagOf(version) },
  });
}

function malformed(): AppError {
  return new AppError('validation_failed', 'If-Match is not a list of entity tags.', {
    errors: [
      {
        path: 'if-match',
        message: 'must be an ETag as the API sent it, quotes included, such as "3"',
      },
    ],
  });
}
