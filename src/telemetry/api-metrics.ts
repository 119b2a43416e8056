import type { Meter } from '@opentelemetry/api';
import type { Context, Middleware } from '../http/context';
import { knownMethod } from '../http/known-method';
import { REFUSALS, type Admission, type Refusal } from '../orders/admission';
import { SECURITY_EVENT_NAMES, type SecurityEventName } from '../security/security-events';

export type ApiMetrics = ReturnType<typeof createApiMetrics>;

/** As the semantic conventions of OpenTelemetry have them, with 0.5 s as the limit of what is promised. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Makes the instruments of an API process. */
export function createApiMetrics(meter: Meter) {
  const counter = (name: string, description: string) => meter.createCounter(name, { description });
  const duration = meter.createHistogram('http_server_request_duration_seconds', {
    description: 'Time from the arrival of a request to the end of its response, by the path of the route',
    advice: { explicitBucketBoundaries: REQUEST_SECONDS },
  });
  const active = meter.createUpDownCounter('http_server_active_requests', {
    description: 'Requests that are being served; streams of events are among them as long as they last',
  });
  const accepted = counter('orders_accepted_total', 'Orders answered with 201 or 202, without repeats');
  const refused = counter(
    'orders_refused_total',
    'Orders turned down with 503 before anything was begun, since too many are being placed or wait in the queue, by reason',
  );
  const limited = counter('rate_limited_requests_total', 'Requests that the rate limit has turned down');
  const security = counter('security_events_total', 'Security events, by the name that the log has for them');

  // A counter that appears with 1 has not increased for Prometheus.
  for (const one of [accepted, limited]) one.add(0);
  for (const reason of REFUSALS) refused.add(0, { reason });
  for (const event of SECURITY_EVENT_NAMES) security.add(0, { event });

  return {
    /** Measures each request. It comes before everything else. */
    measureRequests: (async (ctx, next) => {
      const startedAt = performance.now();
      active.add(1);
      ctx.res.once('close', () => {
        active.add(-1);
        duration.record((performance.now() - startedAt) / 1_000, attributesOf(ctx));
      });
      await next();
    }) satisfies Middleware,

    countAccepted: () => accepted.add(1),
    countRefused: (reason: Refusal) => refused.add(1, { reason }),
    countLimited: () => limited.add(1),
    countSecurityEvent: (event: SecurityEventName) => security.add(1, { event }),
  };
}

/** Of a path that no route has, there is no `http_route`: a client may send any number of them. */
function attributesOf(ctx: Context): Record<string, string | number> {
  const { _matchedRoute: route } = ctx as { _matchedRoute?: unknown };
  return {
    http_request_method: knownMethod(ctx.method),
    ...(typeof route === 'string' && { http_route: route }),
    http_response_status_code: ctx.res.statusCode,
  };
}

/** Measures how many orders are being placed, and how many may be. */
export function measureAdmission(meter: Meter, { active, limit }: Pick<Admission, 'active' | 'limit'>): void {
  meter
    .createObservableGauge('orders_in_flight', {
      description: 'Orders that the process is placing: it waits for what comes of them',
    })
    .addCallback((result) => result.observe(active()));
  meter
    .createObservableGauge('orders_in_flight_limit', {
      description: 'How many it places at once at most: fewer under load, so that each is placed in time',
    })
    .addCallback((result) => {
      if (Number.isFinite(limit())) result.observe(limit());
    });
}
