import type { KeyObject } from 'node:crypto';
import { createKeyedHash } from '../../common/keyed-hash';
import { clientAddress } from '../../rate-limit/client-address';

const PURPOSE = 'accounts and addresses of attempts to sign in';

/** Names what is limited, without saying whose account or which address it is. */
export interface AttemptKeys {
  ofAccount(email: string): string;
  /** @param address of the client; for IPv6, its network counts */
  ofAddress(address: string): string;
  ofAccountAndAddress(email: string, address: string): string;
  ofSession(id: string): string;
  ofRegistrations(address: string): string;
  ofForgotten(address: string): string;
  ofGuestCarts(address: string): string;
  ofGuestOrders(address: string): string;
  /** @param userId whose codes of a second factor are checked */
  ofCodes(userId: string): string;
  /** @param which the kind of mails and whom they are sent to, or who causes them */
  ofMails(which: string): string;
}

/** @param secret the keys are made with it: the same for all API processes */
export function createAttemptKeys(secret: KeyObject): AttemptKeys {
  const hash = createKeyedHash(secret, PURPOSE);
  return {
    ofAccount: (email) => hash('account', email),
    ofAddress: (address) => hash('address', clientAddress(address)),
    ofAccountAndAddress: (email, address) => hash('account and address', email, clientAddress(address)),
    ofSession: (id) => hash('session', id),
    ofRegistrations: (address) => hash('registrations', clientAddress(address)),
    ofForgotten: (address) => hash('forgotten', clientAddress(address)),
    ofGuestCarts: (address) => hash('guest carts', clientAddress(address)),
    ofGuestOrders: (address) => hash('guest orders', clientAddress(address)),
    ofCodes: (userId) => hash('codes', userId),
    ofMails: (which) => hash('mails', which),
  };
}
