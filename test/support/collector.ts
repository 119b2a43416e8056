import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'protobufjs';
import { repeat } from './eventually';

/** What https://github.com/open-telemetry/opentelemetry-proto says of traces, as far as tests look at it. */
const { root } = parse(`
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    Kind kind = 6;
    repeated KeyValue attributes = 9;
    repeated Event events = 11;
    Status status = 15;
    enum Kind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; PRODUCER = 4; CONSUMER = 5; }
    message Event { string name = 2; }
  }
  message Status { string message = 2; Code code = 3; enum Code { UNSET = 0; OK = 1; ERROR = 2; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value {
      string string_value = 1;
      bool bool_value = 2;
      int64 int_value = 3;
      double double_value = 4;
      ArrayValue array_value = 5;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
`);
const Request = root.lookupType('ExportTraceServiceRequest');

interface Value {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: number;
  doubleValue?: number;
  arrayValue?: { values: Value[] };
}
interface KeyValue {
  key: string;
  value: Value;
}
interface Exported {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { spans: ExportedSpan[] }[];
  }[];
}
interface ExportedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: string;
  attributes?: KeyValue[];
  events?: { name: string }[];
  status?: { code?: string; message?: string };
}

export interface CollectedSpan {
  service: string;
  traceId: string;
  spanId: string;
  /** Empty for the first span of a trace, unless that of a client came before it. */
  parentId: string;
  name: string;
  kind: string;
  attributes: Record<string, unknown>;
  events: string[];
  status: { code?: string; message?: string };
}

export type Collector = Awaited<ReturnType<typeof openCollector>>;

/** Opens a collector of OpenTelemetry that takes traces by OTLP over HTTP, in protobuf. */
export async function openCollector() {
  const spans: CollectedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      bodies.push(body);
      for (const { resource, scopeSpans } of read(body)) {
        const attributes = valuesOf(resource.attributes);
        const service = String(attributes['service.name']);
        resources.push(attributes);
        spans.push(
          ...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ service, ...present(span) }))),
        );
      }
      res.setHeader('Content-Type', 'application/x-protobuf').end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: spans as readonly CollectedSpan[],
    /** What was said of the process, with each request. */
    resources: resources as readonly Record<string, unknown>[],
    /** Everything that it was sent, as it came. */
    bodies: bodies as readonly Buffer[],

    /** Returns the spans of a trace once there are some with all these names; a parent comes after what is below it. */
    traceWith(traceId: string, ...names: string[]): Promise<CollectedSpan[]> {
      const found = () => spans.filter((span) => span.traceId === traceId);
      const namesFound = () => found().map(({ name }) => name);
      return repeat(
        async () => (names.every((name) => namesFound().includes(name)) ? found() : undefined),
        () => `Not all of ${names.join(', ')} are among ${namesFound().join(', ')}.`,
      );
    },

    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function read(body: Buffer): Exported['resourceSpans'] {
  const exported = Request.toObject(Request.decode(body), {
    longs: Number,
    enums: String,
    bytes: String,
    arrays: true,
  }) as Exported;
  return exported.resourceSpans;
}

function present({ traceId, spanId, parentSpanId = '', ...span }: ExportedSpan) {
  return {
    traceId: hex(traceId),
    spanId: hex(spanId),
    parentId: hex(parentSpanId),
    name: span.name,
    kind: span.kind,
    attributes: valuesOf(span.attributes ?? []),
    events: (span.events ?? []).map(({ name }) => name),
    status: span.status ?? {},
  };
}

const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');

function valuesOf(pairs: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ arrayValue, ...single }: Value): unknown {
  return arrayValue ? arrayValue.values.map(valueOf) : Object.values(single)[0];
}

/** Returns the names from the first span of the trace down to the one with that name. */
export function chainTo(spans: readonly CollectedSpan[], name: string): string[] {
  const chain: string[] = [];
  let span = spans.find((one) => one.name === name);
  while (span) {
    const { parentId } = span;
    chain.unshift(span.name);
    span = spans.find(({ spanId }) => spanId === parentId);
  }
  return chain;
}
