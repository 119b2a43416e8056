export const USER_STATUSES = ['active', 'disabled'] as const;

/** Who is disabled can do nothing; what they ordered goes on. */
export type UserStatus = (typeof USER_STATUSES)[number];

/** Instead of a user: the change would leave nobody who is an active ADMIN. */
export const LAST_ADMIN = 'last admin';
/** Instead of a user: whoever wanted the change is no active ADMIN any more. */
export const ACTOR_ENDED = 'actor ended';
