// Loaded into processes whose memory is measured, and each of their threads: without it, what is not used any more would be
// measured as well.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const INTERVAL_MS = 30_000;

setFlagsFromString('--expose-gc');
setInterval(runInNewContext('gc'), INTERVAL_MS).unref();
