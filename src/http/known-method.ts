const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Returns the method of a request for spans and metrics, and for any other `_OTHER`, as the semantic conventions of
 * OpenTelemetry call it: clients may send any number of them.
 */
export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER';
}
