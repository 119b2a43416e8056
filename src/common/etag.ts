import Joi, { type StringSchema } from 'joi';
import { AppError } from '../errors/app-error';

const MAX_HEADER_LENGTH = 1_000;
const TAG = '(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
/** A list of RFC 9110, 5.6.1, which may have empty elements. */
const IF_MATCH = new RegExp(`^(?:\\*|(?:,[ \\t]*)*${TAG}[ \\t]*(?:,[ \\t]*(?:${TAG}[ \\t]*)?)*)$`);
/** The same without empty elements, which senders must not generate: what the document asks for. */
const IF_MATCH_AS_SENT = `^(\\*|${TAG}([ \\t]*,[ \\t]*${TAG})*)$`;
/** The form in which `etagOf` writes a version; another spelling is another tag. */
const VERSION = /^(0|[1-9]\d{0,14})$/;

/** Returns the strong entity tag of a version, for example `"3"`. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The schema of an If-Match header. */
export function ifMatchSchema(): StringSchema {
  return Joi.string()
    .max(MAX_HEADER_LENGTH)
    .pattern(IF_MATCH)
    .messages({
      'string.pattern.base': '{#label} must be an ETag as the API sent it, quotes included, for example "3"',
    })
    .meta({ jsonSchema: { pattern: IF_MATCH_AS_SENT } })
    .example('*');
}

/**
 * Returns the versions one of which must be the current one, by a valid If-Match header (RFC 9110, 13.1.1); null stands
 * for any version. Comparison is strong, so a weak tag never matches.
 */
export function versionsOf(ifMatch: string): number[] | null {
  if (ifMatch === '*') return null;
  return [...ifMatch.matchAll(ENTITY_TAG)].flatMap(([, weak, tag]) =>
    !weak && VERSION.test(tag!) ? [Number(tag)] : [],
  );
}

/** Returns whether a valid If-Match header names the ETag. */
export function matchesIfMatch(ifMatch: string, etag: string): boolean {
  return ifMatch === '*' || [...ifMatch.matchAll(ENTITY_TAG)].some(([tag, weak]) => !weak && tag === etag);
}

/** Returns whether no tag of a valid If-Match header is strong, so that it can match nothing. */
export function isWeak(ifMatch: string): boolean {
  return ifMatch !== '*' && [...ifMatch.matchAll(ENTITY_TAG)].every(([, weak]) => weak);
}

/** Throws 412 unless the version is among those of the If-Match header. @param versions null for any version */
export function requireVersion(versions: readonly number[] | null, version: number): void {
  if (versions === null || versions.includes(version)) return;
  throw preconditionFailed(
    `This was changed meanwhile and is now at version ${version}: read it again, then repeat the change.`,
    etagOf(version),
  );
}

/**
 * Returns whether a cached copy is current (RFC 9110, 13.1.2). Comparison is weak, since compression may
 * weaken a tag.
 * @param etag of the current representation
 */
export function matchesIfNoneMatch(header: string | undefined, etag: string): boolean {
  const value = header?.trim();
  if (!value) return false;
  if (value === '*') return true;
  return [...value.matchAll(ENTITY_TAG)].some(([, , tag]) => `"${tag}"` === etag);
}

/** The error for a version that is not the current one. @param etag of the current version */
export function preconditionFailed(detail: string, etag: string): AppError {
  return new AppError('precondition_failed', detail, { headers: { ETag: etag } });
}
