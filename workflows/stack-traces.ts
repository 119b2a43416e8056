/**
 * The SDK keeps a stack trace of every promise, for the stack trace query of the Temporal UI. Its usual ten frames cost
 * a quarter of what a worker spends on workflows; four still show the line at which each of our functions waits.
 */
Error.stackTraceLimit = 4;
