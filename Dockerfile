# syntax=docker/dockerfile:1

# One image for both processes: the API by default, the worker with `node dist/src/worker.js`.
# It has to be a glibc image: the Temporal core is a native library.
# The digest names the very image that was tried; Renovate proposes the next one.
FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM base AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY activities ./activities
COPY workflows ./workflows
COPY src ./src
# Compiles, and bundles the workflows ahead of time, so that every worker runs the same code: once for unencrypted
# payloads and once for encrypted ones.
RUN npm run build

# What production runs: it has no way to add the demo users, whose password is published.
FROM build AS build-without-seed
RUN rm -r dist/src/seed dist/src/seed.js dist/src/seed.js.map

FROM base AS production-dependencies
# The Temporal core comes for five platforms, 137 MB; the last line fails the build if the wrong one was kept.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
  && node --eval "require('@temporalio/core-bridge')"
# The certificate authorities of this Node.js, as a file: slim images have none, and without it the Temporal core of the
# workers rejects every TLS connection (NativeCertsNotFound), for example to Temporal Cloud.
RUN node --eval "fs.writeFileSync('/ca-certificates.crt', tls.rootCertificates.join('\n'))"

FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS runtime
ENV HOST=0.0.0.0 METRICS_HOST=0.0.0.0
WORKDIR /app
COPY --from=production-dependencies /app/node_modules ./node_modules
COPY --from=production-dependencies /ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY package.json ./
# The user `node`. The files belong to root, so that the processes cannot change them.
USER 1000:1000
# Of the API, and, once METRICS_PORT says so, of the metrics of every process and the health of workers.
EXPOSE 3000 9464
# Each process drains on this signal; run it with an init (`docker run --init`), so that it also stops while it is still
# starting.
STOPSIGNAL SIGTERM
# Liveness of the API. Run a worker with METRICS_PORT and
# `--health-cmd 'node dist/src/healthcheck.js worker' --health-timeout 5s`, which tells whether it takes tasks.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["node", "dist/src/healthcheck.js"]
CMD ["node", "dist/src/server.js"]

# For trying things out (`docker build --target development`): with the command that adds demo data.
FROM runtime AS development
ENV NODE_ENV=development
COPY --from=build /app/dist/activities ./dist/activities
COPY --from=build /app/dist/workflows ./dist/workflows
COPY --from=build /app/dist/workflow-bundle.js /app/dist/workflow-bundle.encoded.js ./dist/
COPY --from=build /app/dist/src ./dist/src

# The default.
FROM runtime AS production
ENV NODE_ENV=production
COPY --from=build-without-seed /app/dist/activities ./dist/activities
COPY --from=build-without-seed /app/dist/workflows ./dist/workflows
COPY --from=build-without-seed /app/dist/workflow-bundle.js /app/dist/workflow-bundle.encoded.js ./dist/
COPY --from=build-without-seed /app/dist/src ./dist/src
