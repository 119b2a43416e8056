/** What can be said of exports to the log. */
export interface TracingLog {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

export interface Tracing {
  /** Reports there from now on whether the collector takes the spans. */
  reportTo(log: TracingLog): void;
  /**
   * Sends what is left, if the collector takes it in that time, in milliseconds. Returns whether all of it was sent; if not,
   * what is under way keeps the process alive for some seconds.
   */
  flush(withinMs: number): Promise<boolean>;
}
