/** A mail to a user. Nothing in it was written by another user, who could send people his own words with it. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

export interface Mailer {
  /** Resolves when a server has accepted the mail. */
  send(mail: Mail): Promise<void>;
  close(): void;
}
