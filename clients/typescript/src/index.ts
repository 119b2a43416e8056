export type * from './api.generated.js';
export type { ClientOptions } from './client.js';
export { createClient, type Client } from './create-client.js';
export { allOf, follow, type FeedOptions } from './pages.js';
export { isProblem, ProblemError, type ProblemCode } from './problem.js';
export { verifyWebhook, WebhookVerificationError, type WebhookRequest } from './webhooks.js';
export type { Tokens } from './tokens.js';
