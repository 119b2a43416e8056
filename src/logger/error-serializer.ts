const E_MAIL = /[^\s"'<>@:/]+@[^\s"'<>@]+\.[^\s"'<>@,;)}]+/g;
/** In MongoDB's message about a unique index; the value may be anything from the document. */
const DUPLICATE_KEY = /(dup key: )\{.*\}/g;
const CREDENTIALS = /(:\/\/)[^\s/@]+@/g;
const MAX_CAUSES = 5;

export interface SerializedError {
  type: string;
  message: string;
  code?: string | number;
  stack?: string;
  cause?: SerializedError;
}

/**
 * Returns what the log needs of an error and nothing else, because drivers attach keys and values of documents. Values
 * of unique keys, e-mail addresses and credentials in URLs are removed from its text.
 */
export function serializeError(error: unknown, depth = 0): SerializedError {
  if (!(error instanceof Error)) return { type: typeof error, message: scrub(String(error)) };
  const { code, cause } = error as Error & { code?: unknown; cause?: unknown };
  return {
    type: error.name,
    message: scrub(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: scrub(String(error.stack)),
    ...(cause instanceof Error && depth < MAX_CAUSES ? { cause: serializeError(cause, depth + 1) } : {}),
  };
}

/** Removes the values of unique keys, e-mail addresses, and credentials in URLs. */
export function scrub(text: string): string {
  return text
    .replace(DUPLICATE_KEY, '$1[redacted]')
    .replace(CREDENTIALS, '$1[redacted]@')
    .replace(E_MAIL, '[redacted]');
}
