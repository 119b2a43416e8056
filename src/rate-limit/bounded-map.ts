/**
 * Windows of the in-memory rate limiter, so many at most. The driver only ever gets, tests and sets; all windows are
 * equally long, so the order in which they were set is the order in which they expire. When it is full the oldest
 * window goes, even a live one: under a flood of addresses a bounded memory matters more than an exact count.
 */
export class BoundedMap extends Map<string, { reset: number }> {
  constructor(private readonly maxEntries: number) {
    super();
  }

  override set(key: string, window: { reset: number }): this {
    this.delete(key); // a renewed window moves to the end of the order
    this.dropExpired();
    if (this.size >= this.maxEntries) this.dropOldest();
    return super.set(key, window);
  }

  private dropExpired(): void {
    const now = Date.now() / 1_000;
    for (const [key, { reset }] of this) {
      if (reset >= now) return;
      this.delete(key);
    }
  }

  private dropOldest(): void {
    for (const key of this.keys()) {
      this.delete(key);
      return;
    }
  }
}
