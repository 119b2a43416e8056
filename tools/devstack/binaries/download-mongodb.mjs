// Usage: node download-mongodb.mjs <folder> <version>
// Prints the path of the mongod that mongodb-memory-server-core downloads or finds in its own cache. Its
// downloader checks certificates only if npm is set to, and tries an unknown host three times by default.
process.env.npm_config_strict_ssl = 'true';
process.env.MONGOMS_MAX_RETRIES ??= '1';
const { MongoBinary } = await import('mongodb-memory-server-core');

const [downloadDir, version] = process.argv.slice(2);
try {
  console.log(await MongoBinary.getPath({ downloadDir, version, checkMD5: true }));
} catch (error) {
  console.error(
    String(error.message ?? error)
      .split('\n')
      .at(-1),
  );
  process.exitCode = 1;
}
