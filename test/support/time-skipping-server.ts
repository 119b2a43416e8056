import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../tools/cache';
import { messageOf } from '../../tools/project';
import { lastLine } from '../../tools/run';

const GROUP = 'io.temporal';
const ARTIFACT = 'temporal-test-server';
const VERSION = '1.38.0';
const MAIN_CLASS = 'io.temporal.testserver.TestServer';
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const DOWNLOAD_MS = 300_000;

export type TimeSkippingServer =
  { executable: string; missing?: undefined } | { executable?: undefined; missing: string };

/**
 * Temporal's test server, whose clock can be moved on: an executable that takes a port, or what is missing for it.
 * It is a Java program, fetched from Maven Central with what it depends on, into the cache of the other binaries. At
 * once and not by a promise, since Jest wants to know what is skipped before it runs anything.
 */
export function findTimeSkippingServer(env: NodeJS.ProcessEnv = process.env): TimeSkippingServer {
  if (!runs('java', ['-version'], env)) return { missing: 'there is no Java on PATH' };
  const folder = join(cacheFolder(env), `${ARTIFACT}-${VERSION}`);
  try {
    if (!existsSync(folder)) download(folder, env);
  } catch (error) {
    return { missing: messageOf(error) };
  }
  return { executable: join(folder, ARTIFACT) };
}

function runs(command: string, args: string[], env: NodeJS.ProcessEnv): boolean {
  return spawnSync(command, args, { env, stdio: 'ignore' }).status === 0;
}

/** The folder appears whole or not at all: it is made elsewhere, and moved to its place in one step. */
function download(folder: string, env: NodeJS.ProcessEnv): void {
  if (!runs('mvn', ['--version'], env)) throw new Error('there is no Maven on PATH to fetch it');
  mkdirSync(cacheFolder(env), { recursive: true });
  // Named as other downloads are: what a killed process leaves behind is removed by the next one.
  const staging = mkdtempSync(join(cacheFolder(env), `download-${process.pid}-`));
  try {
    const whole = join(staging, ARTIFACT);
    fetchJars(staging, join(whole, 'lib'), env);
    writeFileSync(join(whole, ARTIFACT), START, { mode: 0o755 });
    move(whole, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function fetchJars(staging: string, lib: string, env: NodeJS.ProcessEnv): void {
  writeFileSync(join(staging, 'pom.xml'), POM);
  const args = ['--batch-mode', '--quiet', '--strict-checksums', COPY_DEPENDENCIES];
  const { status, stdout, error } = spawnSync(
    'mvn',
    [...args, '-DincludeScope=runtime', `-DoutputDirectory=${lib}`],
    { cwd: staging, env, encoding: 'utf8', timeout: DOWNLOAD_MS },
  );
  if (status === 0) return;
  const said = /\[ERROR\] (\S.*)/.exec(stdout)?.[1]; // the first of many says why
  throw new Error(`Maven cannot fetch it (${error?.message ?? said ?? lastLine(stdout)})`);
}

function move(whole: string, folder: string): void {
  try {
    renameSync(whole, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another process was faster, with the same
  }
}

const START = `#!/bin/sh
exec java -cp "$(dirname "$0")/lib/*" ${MAIN_CLASS} "$@"
`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId>
  <artifactId>time-skipping</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>${GROUP}</groupId>
      <artifactId>${ARTIFACT}</artifactId>
      <version>${VERSION}</version>
    </dependency>
    <!-- Its log goes nowhere: without this it complains that there is none. -->
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;
