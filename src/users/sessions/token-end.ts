import type { UserDocument } from '../users.model';

/** What was issued to a user: an access token, or the session behind it. */
export interface Issued {
  /** Of the user when it was issued. */
  tokenVersion: number;
  /** Absent in access tokens of before there were sessions. */
  sessionId?: string;
}

/** Whether a user's state has ended it: all of a lower version are, but for those of the one session that was kept. */
export function isEndedBy(
  { tokenVersion, keptSessionId }: Pick<UserDocument, 'tokenVersion' | 'keptSessionId'>,
  issued: Issued,
): boolean {
  if (issued.tokenVersion >= tokenVersion) return false;
  return issued.sessionId === undefined || issued.sessionId !== keptSessionId;
}
