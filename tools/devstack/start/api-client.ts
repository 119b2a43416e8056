import { DEMO_PASSWORD } from '../../../src/users/demo-users';
import { HANG_MS } from '../until';

/** The fields of the API's responses that the demo shows. */
export interface Order {
  id: string;
  status: string;
  currency: string | null;
  items: {
    name: string | null;
    quantity: number;
    unitPrice: number | null;
    subtotal: number | null;
    tax: number | null;
    total: number | null;
  }[];
  subtotal: number | null;
  tax: number | null;
  total: number | null;
  statusHistory: {
    at: string;
    axis: string;
    from: string | null;
    to: string;
    reason: string | null;
  }[];
  workflowId: string;
  temporalUrl?: string;
}

export interface CatalogueEntry {
  id: string;
  name: string;
  currency: string;
  stock: { available: number } | null;
}

export interface Response<T> {
  status: number;
  data: T;
}

/** Thrown for a problem that the API returns; `code` is its stable code. */
class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(`${status} ${code}: ${detail}`);
  }
}

export const DEMO_CUSTOMER = 'alice@example.com';
export const DEMO_ADMIN = 'admin@example.com';

/** A client of the API over HTTP. */
export class ApiClient {
  private constructor(
    private readonly baseUrl: string,
    private readonly token?: string,
  ) {}

  static async login(baseUrl: string, email: string): Promise<ApiClient> {
    const anonymous = new ApiClient(baseUrl);
    const { data } = await anonymous.post<{ accessToken: string }>('/auth/login', {
      email,
      password: DEMO_PASSWORD,
    });
    return new ApiClient(baseUrl, data.accessToken);
  }

  get<T>(path: string): Promise<Response<T>> {
    return this.send<T>('GET', path, {});
  }

  post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response<T>> {
    return this.send<T>(
      'POST',
      path,
      { ...headers, 'Content-Type': 'application/json' },
      JSON.stringify(body),
    );
  }

  private async send<T>(
    method: string,
    path: string,
    headers: Record<string, string>,
    content?: string,
  ): Promise<Response<T>> {
    const authorization: Record<string, string> = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: { ...headers, ...authorization },
      body: content,
      signal: AbortSignal.timeout(HANG_MS),
    });
    const body = (await response.json()) as { data: T; code: string; detail: string };
    if (!response.ok) throw new ApiProblem(response.status, body.code, body.detail);
    return { status: response.status, data: body.data };
  }
}
