export type Env = Readonly<Record<string, string | undefined>>;

/** Whether OpenTelemetry's own variables name a collector for traces and do not switch them off. */
export function isOn(env: Env): boolean {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isDisabled = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  return Boolean(endpoint?.trim()) && !isDisabled && env.OTEL_TRACES_EXPORTER?.trim() !== 'none';
}
