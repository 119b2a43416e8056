/** What signing in returns, or an access token alone. */
export interface Tokens {
  accessToken: string;
  /** Without it, the access token cannot be renewed. */
  refreshToken?: string;
}

export interface TokenOptions {
  /** The tokens of a session. They are replaced when they are too old. */
  tokens?: Tokens;
  /** Is told of the tokens that replace them, to keep those: a refresh token that is used again ends the session. */
  onTokens?(tokens: Required<Tokens>): void;
  /** Instead of tokens: an API key, `oms_…`. */
  apiKey?: string;
}

export interface Credentials {
  current(): string | undefined;
  replace(tokens: Tokens | undefined): void;
  /** Returns a newer token than the rejected one, if there is any. All who ask at once share one request for it. */
  renew(rejected: string): Promise<string | undefined>;
}

/** @param refresh asks the API for new tokens; undefined if the session has ended */
export function createCredentials(
  { tokens: given, onTokens, apiKey }: TokenOptions,
  refresh: (refreshToken: string) => Promise<Required<Tokens> | undefined>,
): Credentials {
  let tokens = given;
  let renewal: Promise<string | undefined> | undefined;
  const ask = async (old: Tokens, refreshToken: string): Promise<string | undefined> => {
    const session = await refresh(refreshToken);
    // Others may have been set meanwhile.
    if (tokens === old) {
      const next = session && { accessToken: session.accessToken, refreshToken: session.refreshToken };
      tokens = next;
      if (next) onTokens?.(next);
    }
    return tokens?.accessToken;
  };
  return {
    current: () => tokens?.accessToken ?? apiKey,
    replace(next) {
      tokens = next;
    },
    async renew(rejected) {
      if (!tokens) return undefined;
      if (tokens.accessToken !== rejected) return tokens.accessToken;
      if (tokens.refreshToken === undefined) return undefined;
      renewal ??= ask(tokens, tokens.refreshToken).finally(() => (renewal = undefined));
      return renewal;
    },
  };
}
