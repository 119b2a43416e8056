import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** A call that writes a line of the log. */
export interface LogCall {
  /** `file:line` */
  at: string;
  level: string;
  /** The texts that the message can be; none if they are not in the call. */
  messages: string[];
  /** Whether something is inserted into the message. */
  isInterpolated: boolean;
}

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

/** Returns the calls of loggers in a source file. */
export function logCallsIn(file: string): LogCall[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found: LogCall[] = [];
  const visit = (node: ts.Node): void => {
    const call = ts.isCallExpression(node) && logCallOf(node, source);
    if (call) found.push(call);
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function logCallOf({ expression, arguments: args }: ts.CallExpression, source: ts.SourceFile) {
  if (!ts.isPropertyAccessExpression(expression) || !LEVELS.has(expression.name.text)) return undefined;
  if (!/(^|\.)(log|logger)$/.test(expression.expression.getText(source))) return undefined;
  // pino takes the message after the fields, the SDK before them.
  const texts = args.flatMap((argument) => textsOf(argument));
  const { line } = source.getLineAndCharacterOfPosition(expression.getStart(source));
  return {
    at: `${source.fileName}:${line + 1}`,
    level: expression.name.text,
    messages: texts.filter((text) => text !== undefined),
    isInterpolated: texts.includes(undefined),
  };
}

/** Returns the texts that an argument can be; undefined stands for one that something is inserted into. */
function textsOf(node: ts.Expression): (string | undefined)[] {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [undefined];
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node)) {
    const [left] = textsOf(node.left);
    const [right] = textsOf(node.right);
    return [left !== undefined && right !== undefined ? left + right : undefined];
  }
  return [];
}
