/**
 * An answer of the business, not a failure: asking again would not change it. Its `name` becomes the type of the
 * Temporal failure, its message is written for whoever asked.
 */
export class BusinessError extends Error {}
