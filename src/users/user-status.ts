export const USER_STATUSES = ['active', 'disabled'] as const;

/** A disabled user can do nothing; their orders continue. */
export type UserStatus = (typeof USER_STATUSES)[number];

/** Returned instead of a user if the change would leave no active ADMIN. */
export const LAST_ADMIN = 'last admin';
/** Returned instead of a user if the session of the ADMIN who asked for the change has been revoked. */
export const ACTOR_SIGNED_OUT = 'actor signed out';
/** Returned instead of a user who would become an ADMIN without having confirmed the e-mail address. */
export const NOT_CONFIRMED = 'not confirmed';
