# Two stages: the first installs and compiles, the second holds only what runs. The Node of the base image is
# what npm needs; the validator itself runs on the Node that package-lock.json pins.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN node scripts/ensure.mjs && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# 1000 is the base image's unprivileged user. /data is a volume: keys, the record of what they signed, the chain.
RUN install -d -o 1000 -g 1000 -m 0700 /data
COPY --from=build --chown=root:root /app/package.json ./
COPY --from=build --chown=root:root /app/node_modules ./node_modules
COPY --from=build --chown=root:root /app/dist ./dist
COPY LICENSE ./
USER 1000:1000
VOLUME /data
# libp2p over TCP and QUIC; the CA endpoint over HTTP and STOQ; the public API; metrics.
EXPOSE 4001/tcp 4001/udp 8080/tcp 9292/udp 9441/tcp 9442/tcp
# SIGTERM is handled by the process itself, which is process 1: no init beside it.
STOPSIGNAL SIGTERM
CMD ["node", "dist/node.js", "start", "--data", "/data", "--log.format", "json"]
