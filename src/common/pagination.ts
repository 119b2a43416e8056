import Joi, { type Schema } from 'joi';
import { AppError } from '../errors/app-error';
import { idSchema, type IdPrefix } from './ids';
import { anyText } from './text';

export interface PageQuery {
  limit: number;
  cursor?: string;
}

const MAX_CURSOR_LENGTH = 500;

/** The query parameters of every list, to be spread into its schema. */
export const pageQuery = {
  limit: Joi.number()
    .integer()
    .min(1)
    .max(100)
    .default(20)
    .description('The maximum number of entries on a page'),
  cursor: anyText(MAX_CURSOR_LENGTH).description('`meta.page.nextCursor` of the previous page; opaque'),
};

export interface Page<T> {
  entries: T[];
  /** Returns whether another page follows. */
  more: boolean;
}

/** Makes a page of at most `limit` entries from a query for one entry more. */
export function pageOf<T>(found: T[], limit: number): Page<T> {
  return { entries: found.slice(0, limit), more: found.length > limit };
}

/** Encodes the sort key of a page's last entry as an opaque text. */
export function encodeCursor(values: unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Decodes a cursor and validates it, since it comes from the client like any other input. */
export function decodeCursor<T extends unknown[] = unknown[]>(cursor: string, schema: Schema): T {
  const { value, error } = schema.validate(parse(cursor), {
    convert: false,
    presence: 'required',
  });
  if (error) throw invalidCursor();
  return value as T;
}

/** Reads and creates the cursors of a list that is sorted by the ids of its entries. */
export function idCursor(prefix: IdPrefix) {
  const schema = Joi.array().ordered(idSchema(prefix).required()).required();
  return {
    /** Returns the id after which the page begins. @throws {AppError} validation_failed */
    read: (cursor: string | undefined): string | undefined =>
      cursor === undefined ? undefined : decodeCursor<[string]>(cursor, schema)[0],
    /** Returns the cursor of the next page, or null after the last page. */
    after: ({ entries, more }: Page<{ id: string }>): string | null =>
      more ? encodeCursor([entries.at(-1)!.id]) : null,
  };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalidCursor();
  }
}

function invalidCursor(): AppError {
  return new AppError('validation_failed', 'The cursor is invalid: it does not come from this list.', {
    errors: [
      { path: 'cursor', message: 'must be a nextCursor of this list; leave it out for the first page' },
    ],
  });
}
