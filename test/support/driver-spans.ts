import type { InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';

/**
 * Prepares for commands of the MongoDB driver to be traced. Jest loads modules itself, past the hook by which OpenTelemetry
 * changes the driver; the function that this returns makes its changes, once tracing has started.
 */
export function prepareDriverSpans(): () => void {
  const init = jest.spyOn(MongoDBInstrumentation.prototype, 'init');
  return () => {
    const definitions = init.mock.results.flatMap(
      ({ value }) => value as InstrumentationNodeModuleDefinition[],
    );
    const files = definitions.flatMap((definition) => definition.files);
    for (const { name, supportedVersions, patch } of files)
      if (supportedVersions.some((range) => range.endsWith('<8'))) patch(jest.requireActual(name));
    init.mockRestore();
  };
}
