import Joi, { type Schema } from 'joi';
import { AppError } from '../errors/app-error';
import { idSchema, type IdPrefix } from './ids';
import { anyText } from './text';

export interface PageQuery {
  limit: number;
  cursor?: string;
}

const MAX_CURSOR_LENGTH = 500;

/** The keys of every list's query: spread them into its schema. */
export const pageQuery = {
  limit: Joi.number()
    .integer()
    .min(1)
    .max(100)
    .default(20)
    .description('How many entries a page has at most'),
  cursor: anyText(MAX_CURSOR_LENGTH).description('`meta.page.nextCursor` of the page before; opaque'),
};

export interface Page<T> {
  entries: T[];
  /** Whether another page follows. */
  more: boolean;
}

/** The page among what was found when one entry more than its limit was asked for. */
export function pageOf<T>(found: T[], limit: number): Page<T> {
  return { entries: found.slice(0, limit), more: found.length > limit };
}

/** Packs the sort key of a page's last entry into an opaque text. */
export function encodeCursor(values: unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Unpacks what encodeCursor made and checks it: a cursor comes from the client like any other input. */
export function decodeCursor<T extends unknown[] = unknown[]>(cursor: string, schema: Schema): T {
  const { value, error } = schema.validate(parse(cursor), {
    convert: false,
    presence: 'required',
  });
  if (error) throw invalidCursor();
  return value as T;
}

/** The cursors of a list that is sorted by the id of its entries. */
export function idCursor(prefix: IdPrefix) {
  const schema = Joi.array().ordered(idSchema(prefix).required()).required();
  return {
    /** The id after which the page begins. @throws {AppError} validation_failed */
    read: (cursor: string | undefined): string | undefined =>
      cursor === undefined ? undefined : decodeCursor<[string]>(cursor, schema)[0],
    /** For the page after this one; null when it is the last. */
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
  return new AppError('validation_failed', 'The cursor is not one that this list gave out.', {
    errors: [
      {
        path: 'cursor',
        message: 'must be a nextCursor of this list; leave it out for the first page',
      },
    ],
  });
}
