/** Preloaded: writes to standard output, when the process ends, which packages of OpenTelemetry it has loaded. */
process.on('exit', () => {
  const found = Object.keys(require.cache).flatMap(
    (file) => /node_modules[\\/](@opentelemetry[\\/][^\\/]+)/.exec(file)?.[1] ?? [],
  );
  process.stdout.write(`${JSON.stringify({ loaded: [...new Set(found)].sort() })}\n`);
});
