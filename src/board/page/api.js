/** The API, as the user who signed in. The tokens are nowhere but in memory. */

/** @typedef {{ id: string, name: string, role: 'CUSTOMER' | 'ADMIN' }} User */
/** @typedef {{ user: User, accessToken: string, refreshToken: string, expiresIn: number, mustSetUpTotp?: true }} SignedIn */
/** @typedef {SignedIn & { endsAt: number, next: Promise<Session> | null }} Session `next`: the one with the new tokens */
/** @typedef {{ method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} Request */
/** @typedef {{ path: string, message: string }} FieldError */

/** How long before its end an access token is exchanged, in milliseconds. */
const EARLY_MS = 30_000;

/** What the API answers when it does not do what was asked for (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {{ title?: string, detail?: string, code?: string, requestId?: string, traceId?: string, errors?: FieldError[] }} body
   * @param {number} retryAfter in seconds, 0 if the API does not say
   */
  constructor(status, body, retryAfter = 0) {
    super(body.detail ?? 'The response cannot be read.');
    this.status = status;
    this.title = body.title ?? `Status ${status}`;
    this.code = body.code ?? '';
    this.requestId = body.requestId ?? null;
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** Whether it is known that nothing was done. */
  get isFinal() {
    return this.status < 500 && this.status !== 408;
  }
}

/** No response: what was asked for may have been done. */
export class Unreachable extends Error {
  constructor() {
    super('The server does not answer. Check the connection.');
    this.title = 'No answer';
    this.requestId = null;
    this.errors = [];
    this.retryAfter = 0;
    this.isFinal = false;
  }
}

/** The session has ended, so the user has to sign in again. */
export class SignedOut extends Error {}

/** @param {string} base the URL below which the API is */
export function createApi(base) {
  /** @type {Session | null} */
  let session = null;
  /** @type {(message: string) => void} */
  let onEnd = () => undefined;

  /** @param {SignedIn} signedIn */
  function begin(signedIn) {
    session = { ...signedIn, endsAt: Date.now() + signedIn.expiresIn * 1_000, next: null };
    return session;
  }

  /**
   * Ends the session, unless the user has signed out, and perhaps in again, meanwhile.
   * @param {Session} ended
   * @returns {never}
   */
  function end(ended) {
    if (session === ended) {
      session = null;
      onEnd('Your session has ended. Sign in again.');
    }
    throw new SignedOut();
  }

  /**
   * A refresh token works once, so all that need new tokens wait for the same ones.
   * @param {Session} old
   */
  function renew(old) {
    old.next ??= exchange(old).catch((error) => {
      old.next = null;
      throw error;
    });
    return old.next;
  }

  /** @param {Session} old */
  async function exchange(old) {
    try {
      const { data } = await contentOf(
        await ask('/auth/refresh', { body: { refreshToken: old.refreshToken } }),
      );
      // Tokens that come after the user has signed out must not sign them in again, or another user as them.
      if (session === old) return begin(data);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
    }
    return end(old);
  }

  /**
   * @param {string} path
   * @param {Request} request
   */
  async function ask(path, { method, body, headers, signal }, token = '') {
    try {
      return await fetch(base + path, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headers: {
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(token && { Authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(signal && { signal }),
        cache: 'no-store',
        credentials: 'omit',
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable();
    }
  }

  /**
   * @param {string} path
   * @param {Request} request
   */
  async function askSignedIn(path, request) {
    if (session === null) throw new SignedOut();
    const used = session.endsAt - EARLY_MS < Date.now() ? await renew(session) : session;
    const response = await ask(path, request, used.accessToken);
    if (response.status !== 401) return response;
    const renewed = await renew(used);
    const second = await ask(path, request, renewed.accessToken);
    return second.status === 401 ? end(renewed) : second;
  }

  return {
    get isAdmin() {
      return session !== null && session.user.role === 'ADMIN' && !session.mustSetUpTotp;
    },
    get session() {
      return session;
    },
    /** @param {(message: string) => void} listener called when the session ends without being signed out */
    onEnd: (listener) => void (onEnd = listener),

    /**
     * Returns the challenge of a user who also has to show a code, or null.
     * @param {string} email
     * @param {string} password
     * @returns {Promise<string | null>}
     */
    async signIn(email, password) {
      const { data } = await contentOf(await ask('/auth/login', { body: { email, password } }));
      if ('challenge' in data) return data.challenge;
      begin(data);
      return null;
    },
    /**
     * @param {string} challenge
     * @param {string} code
     */
    async showCode(challenge, code) {
      begin((await contentOf(await ask('/auth/totp', { body: { challenge, code } }))).data);
    },
    /** The page forgets the tokens, whether or not the API can be told. */
    async signOut() {
      const old = session;
      session = null;
      if (old) await ask('/auth/logout', { body: { refreshToken: old.refreshToken } }).catch(() => undefined);
    },

    /**
     * @param {string} path
     * @param {Request} [request]
     */
    call: async (path, request = {}) => contentOf(await askSignedIn(path, request)),
    /**
     * @param {string} path
     * @param {Request} request
     */
    async stream(path, request) {
      const response = await askSignedIn(path, request);
      if (!response.ok || response.body === null) await contentOf(response);
      return /** @type {NonNullable<typeof response.body>} */ (response.body);
    },
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * @param {Response} response
 * @throws {Problem}
 */
async function contentOf(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new Problem(response.status, body ?? {}, Number(response.headers.get('Retry-After')) || 0);
}
