/** What signing in returns. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export interface TokenOptions {
  /** The tokens of a session. They are replaced when they are too old. */
  tokens?: Tokens;
  /** Is told of new tokens, to keep them. A refresh token that was used once ends the session. */
  onTokens?(tokens: Tokens): void;
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
  refresh: (refreshToken: string) => Promise<Tokens | undefined>,
): Credentials {
  let tokens = given;
  let renewal: Promise<string | undefined> | undefined;
  const current = () => tokens?.accessToken ?? apiKey;
  const replace = (next: Tokens | undefined) => {
    tokens = next && { accessToken: next.accessToken, refreshToken: next.refreshToken };
    if (tokens) onTokens?.(tokens);
  };
  const ask = async ({ refreshToken }: Tokens): Promise<string | undefined> => {
    const next = await refresh(refreshToken);
    replace(next);
    return next?.accessToken;
  };
  return {
    current,
    replace,
    async renew(rejected) {
      if (!tokens) return undefined;
      if (tokens.accessToken !== rejected) return tokens.accessToken;
      renewal ??= ask(tokens).finally(() => (renewal = undefined));
      return renewal;
    },
  };
}
