/** Preloaded in the processes that tests start: watches what they send to MongoDB, if they load its driver. */
const Module = require('node:module');
const { noteInFile, watchClients } = require('./command-concerns.cjs');

const loader = /** @type {any} */ (Module);
const load = loader._load;
let isWatching = false;
loader._load = function (/** @type {string} */ request, /** @type {unknown[]} */ ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request === 'mongodb' && !isWatching) {
    isWatching = true;
    const program = process.argv.slice(1).join(' ');
    watchClients(loaded.MongoClient, noteInFile(program));
  }
  return loaded;
};
