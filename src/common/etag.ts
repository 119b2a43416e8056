import Joi, { type StringSchema } from 'joi';
import { AppError } from '../errors/app-error';

const MAX_HEADER_LENGTH = 1_000;
const TAG = '(W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
const IF_MATCH = new RegExp(`^(\\*|${TAG}([ \\t]*,[ \\t]*${TAG})*)$`);
const MALFORMED = 'must be an ETag as the API sent it, quotes included, such as "3"';
/** How `etagOf` writes a version: another spelling is another tag. */
const VERSION = /^(0|[1-9]\d{0,14})$/;

/** The strong entity tag of a version, such as `"3"`. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The schema of an If-Match header. Optional, since a missing one is a problem of its own: 428. */
export function ifMatchSchema(): StringSchema {
  return Joi.string()
    .max(MAX_HEADER_LENGTH)
    .pattern(IF_MATCH)
    .messages({ 'string.pattern.base': `{#label} ${MALFORMED}` })
    .meta({ required: true })
    .example('*');
}

/**
 * Reads an If-Match header (RFC 9110, 13.1.1) and returns the versions of which one has to be the current one; null
 * stands for any. Comparison is strong, so that a weak tag never matches.
 * @throws {AppError} precondition_required without the header, validation_failed
 */
export function ifMatchVersions(header: string | undefined): number[] | null {
  const value = header?.trim();
  if (!value) {
    throw new AppError(
      'precondition_required',
      'Changing this needs an If-Match header: send the ETag of the version you have read.',
    );
  }
  if (value === '*') return null;
  if (!IF_MATCH.test(value)) throw malformed();
  return [...value.matchAll(ENTITY_TAG)].flatMap(([, weak, tag]) =>
    !weak && VERSION.test(tag!) ? [Number(tag)] : [],
  );
}

/** The check that a version must pass: it throws 412 when the version is not among those of the header. */
export function requireIfMatch(header: string | undefined): (version: number) => void {
  const versions = ifMatchVersions(header);
  return (version) => {
    if (versions && !versions.includes(version)) throw stale(version);
  };
}

/** Whether a cached copy is still good (RFC 9110, 13.1.2): weak comparison, since compression may weaken a tag. */
export function matchesIfNoneMatch(header: string | undefined, version: number): boolean {
  const value = header?.trim();
  if (!value) return false;
  if (value === '*') return true;
  return [...value.matchAll(ENTITY_TAG)].some(([, , tag]) => tag === String(version));
}

function stale(version: number): AppError {
  return preconditionFailed(
    `It has been changed meanwhile and is at version ${version}: read it again, then repeat the change.`,
    version,
  );
}

/** Somebody was faster: the answer tells the current version. */
export function preconditionFailed(detail: string, version: number): AppError {
  return new AppError('precondition_failed', detail, { headers: { ETag: etagOf(version) } });
}

function malformed(): AppError {
  return new AppError('validation_failed', 'If-Match is not a list of entity tags.', {
    errors: [
      {
        path: 'if-match',
        message: MALFORMED,
      },
    ],
  });
}
