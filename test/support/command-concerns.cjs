/**
 * Notes each command to MongoDB that lacks the concern it needs: what is read must have been acknowledged by a majority, and
 * so must what is written, or a failover takes it back. Every process of a test run that talks to MongoDB is watched: those of
 * Jest by `watch-commands.ts`, the others by `preloaded-watch.cjs`.
 */
const { appendFileSync } = require('node:fs');

const READS = new Set(['find', 'aggregate', 'distinct', 'count']);
const WRITES = new Set([
  'insert',
  'update',
  'delete',
  'findAndModify',
  'bulkWrite',
  'create',
  'createIndexes',
  'collMod',
  'drop',
  'dropIndexes',
  'dropDatabase',
  'renameCollection',
  'createUser',
  'commitTransaction',
]);
/** These read no documents, or continue what was begun. */
const OTHERS = new Set([
  'abortTransaction',
  'buildInfo',
  'collStats',
  'configureFailPoint',
  'currentOp',
  'dbStats',
  'endSessions',
  'explain',
  'getMore',
  'getParameter',
  'hello',
  'ismaster',
  'isMaster',
  'killCursors',
  'killOp',
  'listCollections',
  'listDatabases',
  'listIndexes',
  'ping',
  'profile',
  'replSetGetConfig',
  'replSetGetStatus',
  'replSetInitiate',
  'replSetReconfig',
  'replSetStepDown',
  'saslContinue',
  'saslStart',
  'serverStatus',
  'setParameter',
  'shutdown',
]);
/**
 * What is read for a decision or to be shown; only reads that wait for a majority themselves are stricter. A snapshot outside
 * a transaction is of what a majority has.
 */
const READ_LEVELS = new Set(['majority', 'linearizable', 'snapshot']);

/**
 * Returns what the command lacks, or undefined if it lacks nothing.
 * @param {string} name
 * @param {Record<string, any>} command
 * @returns {string | undefined}
 */
function lackOf(name, command) {
  const { readConcern, writeConcern, autocommit, startTransaction, pipeline } = command;
  const isInTransaction = autocommit === false && name !== 'commitTransaction';
  if (isInTransaction && startTransaction)
    return readConcern?.level === 'snapshot' ? undefined : 'read concern snapshot of its transaction';
  if (isInTransaction || OTHERS.has(name)) return undefined;
  if (!READS.has(name) && !WRITES.has(name)) return 'a place in this list: does it read or write?';
  const last = Array.isArray(pipeline) ? Object.keys(pipeline.at(-1) ?? {})[0] : undefined;
  const isWrite = WRITES.has(name) || last === '$out' || last === '$merge';
  if (isWrite && writeConcern?.w !== 'majority') return 'write concern majority';
  if (READS.has(name) && !READ_LEVELS.has(readConcern?.level)) return 'read concern majority';
  return undefined;
}

/**
 * Watches all clients that connect from now on.
 * @param {typeof import('mongodb').MongoClient} MongoClient
 * @param {(lack: { command: string, database: string, lacks: string }) => void} note
 */
function watchClients(MongoClient, note) {
  const { connect } = MongoClient.prototype;
  MongoClient.prototype.connect = function () {
    if (!this.listeners('commandStarted').includes(check)) {
      this.monitorCommands = true;
      this.on('commandStarted', check);
    }
    return connect.call(this);
  };

  /** @param {import('mongodb').CommandStartedEvent} event */
  function check({ commandName, command, databaseName }) {
    const lacks = lackOf(commandName, command);
    if (lacks !== undefined)
      note({ command: `${commandName} ${String(command[commandName])}`, database: databaseName, lacks });
  }
}

/**
 * Returns a function that adds what it is given to the file that the environment names, as a line of JSON, the same but once.
 * @param {string} where the program or test file
 */
function noteInFile(where) {
  const file = process.env.TEST_LACKING_COMMANDS;
  const known = new Set();
  return (/** @type {object} */ lack) => {
    const line = `${JSON.stringify({ ...lack, in: where })}\n`;
    if (file === undefined || known.has(line)) return;
    known.add(line);
    appendFileSync(file, line);
  };
}

module.exports = { lackOf, noteInFile, watchClients };
