import Joi, { type StringSchema } from 'joi';
import { AppError } from '../errors/app-error';

const MAX_HEADER_LENGTH = 1_000;
const TAG = '(W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
const IF_MATCH = new RegExp(`^(\\*|${TAG}([ \\t]*,[ \\t]*${TAG})*)$`);
const MALFORMED = 'must be an ETag as the API sent it, quotes included, for example "3"';
/** The form in which `etagOf` writes a version; another spelling is another tag. */
const VERSION = /^(0|[1-9]\d{0,14})$/;

/** Returns the strong entity tag of a version, for example `"3"`. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The schema of an If-Match header. It is optional, since a missing one has its own problem: 428. */
export function ifMatchSchema(): StringSchema {
  return Joi.string()
    .max(MAX_HEADER_LENGTH)
    .pattern(IF_MATCH)
    .messages({ 'string.pattern.base': `{#label} ${MALFORMED}` })
    .meta({ required: true })
    .example('*');
}

/**
 * Reads an If-Match header (RFC 9110, 13.1.1) and returns the versions one of which must be the current one;
 * null stands for any version. Comparison is strong, so a weak tag never matches.
 * @throws {AppError} precondition_required without the header, validation_failed
 */
export function ifMatchVersions(header: string | undefined): number[] | null {
  const value = header?.trim();
  if (!value) {
    throw new AppError(
      'precondition_required',
      'This change needs an If-Match header: send the ETag of the version you have read.',
    );
  }
  if (value === '*') return null;
  if (!IF_MATCH.test(value)) throw malformed();
  return [...value.matchAll(ENTITY_TAG)].flatMap(([, weak, tag]) =>
    !weak && VERSION.test(tag!) ? [Number(tag)] : [],
  );
}

/** Returns a check that throws 412 for a version which is not among those of the header. */
export function requireIfMatch(header: string | undefined): (version: number) => void {
  const versions = ifMatchVersions(header);
  return (version) => {
    if (versions && !versions.includes(version)) throw stale(version);
  };
}

/**
 * Returns whether a cached copy is current (RFC 9110, 13.1.2). Comparison is weak, since compression may
 * weaken a tag.
 */
export function matchesIfNoneMatch(header: string | undefined, version: number): boolean {
  const value = header?.trim();
  if (!value) return false;
  if (value === '*') return true;
  return [...value.matchAll(ENTITY_TAG)].some(([, , tag]) => tag === String(version));
}

function stale(version: number): AppError {
  return preconditionFailed(
    `This was changed meanwhile and is now at version ${version}: read it again, then repeat the change.`,
    version,
  );
}

/** The error for a version that is not the current one; its ETag is that of the current version. */
export function preconditionFailed(detail: string, version: number): AppError {
  return new AppError('precondition_failed', detail, { headers: { ETag: etagOf(version) } });
}

function malformed(): AppError {
  return new AppError('validation_failed', 'If-Match is not a list of entity tags.', {
    errors: [{ path: 'if-match', message: MALFORMED }],
  });
}
