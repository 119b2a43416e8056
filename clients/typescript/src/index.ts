export { createClientOf, isProblem, type ClientOptions, type OperationSpec } from './client.js';
export type { BodyOf, Calls, InputOf, ResultOf } from './operation-types.js';
export { allOf, follow, type FeedOptions } from './pages.js';
export { ProblemError, type Problem } from './problem.js';
export type { RetryOptions } from './retries.js';
export type { TokenOptions, Tokens } from './tokens.js';
export { verifyWebhook, WebhookVerificationError, type WebhookRequest } from './webhooks.js';
