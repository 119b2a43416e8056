import { ID_PATTERNS } from '../common/ids';
import { FULFILLMENT_ID, ORDER_ID } from '../domain/order-id';

/** Returns what may be logged of the path of a request. */
export type LoggablePath = (path: string) => string;

/** @param paths those of all routes; of the path of a request, only their words are logged, and ids */
export function loggablePath(paths: readonly string[]): LoggablePath {
  const words = new Set(paths.flatMap((path) => path.split('/')).filter((word) => !word.startsWith(':')));
  const loggable = (segment: string) => (words.has(segment) || isId(segment) ? segment : '…');
  return (path) => path.split('/').map(loggable).join('/');
}

/**
 * The ids that we give, each exactly as we write it. Anything else in the place of an id may be personal, such as an e-mail
 * address or the number of a card.
 */
const IDS = [
  ...Object.values(ID_PATTERNS),
  ORDER_ID,
  FULFILLMENT_ID,
  /^(?:void|refund|release)Payment-\d{1,9}$/, // the step of a compensation
];

function isId(segment: string): boolean {
  return IDS.some((pattern) => pattern.test(segment));
}
