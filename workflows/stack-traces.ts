/**
 * The SDK keeps a stack trace of every promise for the stack trace query of the Temporal UI. The default of
 * ten frames takes a quarter of the time that a worker spends on workflows. Four still show the line at which
 * a function waits.
 */
Error.stackTraceLimit = 4;
