/** Prints the OpenAPI document, without a server that serves it. */
import { openApiDocument } from '../tools/openapi';

process.stdout.write(`${JSON.stringify(openApiDocument(), null, 2)}\n`);
