import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The path from `src/config` (Jest) or `dist/src/config`. An import would copy the file into `dist`. */
const FILE = ['../..', '../../..'].map((up) => join(__dirname, up, 'package.json')).find(existsSync)!;

/** The version in package.json. */
export const { version: VERSION } = JSON.parse(readFileSync(FILE, 'utf8')) as { version: string };
