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
 * Finds Temporal's test server, whose clock can be advanced: an executable that takes a port, or the reason
 * why it is missing. It is a Java program, which Maven downloads with its dependencies into the cache of the
 * other binaries. The function is synchronous, because Jest must know which tests to skip before it runs any.
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

/** Prepares the folder elsewhere and renames it, so that it is never incomplete. */
function download(folder: string, env: NodeJS.ProcessEnv): void {
  if (!runs('mvn', ['--version'], env)) throw new Error('there is no Maven on PATH to download it');
  mkdirSync(cacheFolder(env), { recursive: true });
  // The name is that of other downloads, so that the leftovers of a killed process are removed by the next
  // one.
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
  const said = /\[ERROR\] (\S.*)/.exec(stdout)?.[1]; // the first of many errors names the cause
  throw new Error(`Maven cannot download it (${error?.message ?? said ?? lastLine(stdout)})`);
}

function move(whole: string, folder: string): void {
  try {
    renameSync(whole, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // otherwise another process has made the same folder
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
    <!-- Discards the log. Without it the server warns that no logger is configured. -->
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;
