/** Those that an ADMIN gives. */
export const GIVEN_STATUSES = ['active', 'disabled'] as const;
export type GivenStatus = (typeof GIVEN_STATUSES)[number];
export const USER_STATUSES = [...GIVEN_STATUSES, 'erased', 'guest'] as const;

/**
 * A disabled user can do nothing; their orders continue. The account of an erased one is closed permanently. A guest has
 * ordered without an account, and cannot sign in.
 */
export type UserStatus = (typeof USER_STATUSES)[number];

/** Returned instead of a user if the change would leave no active ADMIN. */
export const LAST_ADMIN = 'last admin';
/** Returned instead of a user whose personal data were erased: nothing about them changes any more. */
export const ERASED_USER = 'erased user';
/** Returned instead of a user who has no account that could be changed. */
export const GUEST_USER = 'guest user';
/** Returned instead of a user if the session of the ADMIN who asked for the change has been revoked. */
export const ACTOR_SIGNED_OUT = 'actor signed out';
/** Returned instead of a user who would become an ADMIN without having confirmed the e-mail address. */
export const NOT_CONFIRMED = 'not confirmed';
