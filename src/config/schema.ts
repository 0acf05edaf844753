/**
 * Everything an operator may choose, declared once: names as in config.toml, defaults, bounds and meaning. Flags,
 * environment names and the annotated configs/validator.toml follow from it. What must be equal on all nodes is
 * not here but in genesis; whether a node is a validator follows from its key file.
 */

import { z } from 'zod'
import { address, duration, listenAddress, peerAddress, rate, size, trustedBlock } from './values.ts'

/** Fewer blocks would not bridge a peer's restart, or the distance of two checkpoints. */
const PRUNE_BLOCKS_MIN = 256

const p2p = z
  .strictObject({
    listen: z
      .array(address)
      .min(1)
      .max(16)
      .default(['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/udp/4001/quic-v1'])
      .describe('addresses to accept peers on: TCP and QUIC; port 0 means any free port'),
    announce: z
      .array(address)
      .max(16)
      .default([])
      .describe('addresses to tell others instead of the ones listened on (behind NAT)'),
    bootstrap: z
      .array(peerAddress)
      .max(64)
      .default([])
      .describe('peers to find the network by, each with /p2p/<peer id>'),
    'max-peers': z
      .int()
      .min(4)
      .max(1_024)
      .default(64)
      .describe('connections at most; validators have reserved ones'),
    'private-addresses': z
      .boolean()
      .default(true)
      .describe('keep and tell addresses of private ranges; false on a public network'),
    mdns: z
      .boolean()
      .default(false)
      .describe('look for peers on the local network too (tells everyone there that we are here)'),
  })
  .transform(({ 'max-peers': maxPeers, 'private-addresses': privateAddresses, ...rest }) => ({
    ...rest,
    maxPeers,
    privateAddresses,
  }))

const ca = z
  .strictObject({
    listen: listenAddress
      .prefault('[::1]:8080')
      .describe("where certificate authorities ask; TrustChain's default address"),
    scheme: z
      .enum(['https', 'http'])
      .default('https')
      .describe('http is for a proxy on the same machine only'),
    rate: rate.prefault('2000/s').describe('requests per second that one client may make'),
    deadline: duration
      .refine(
        (ms) => ms >= 100 && ms <= 20_000,
        'expected between 100ms and 20s (clients give up after 30 s)',
      )
      .prefault('8s')
      .describe(
        'without a verdict after this long a request is answered VALIDATION_TIMEOUT; its status has the verdict later',
      ),
    'max-in-flight': z
      .int()
      .min(16)
      .max(1_000_000)
      .default(16_384)
      .describe('requests without a verdict yet at most, and calls that wait for one'),
    'max-in-flight-per-client': z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4_096)
      .describe('of those, of one client: a peer, an IPv4 address, an IPv6 /64; loopback may have them all'),
    // Last: a table's own settings stand before its sub-tables in a TOML file.
    tls: z
      .strictObject({
        cert: z
          .string()
          .default('')
          .describe('PEM file, relative to the data directory; empty: self-signed, made at first start'),
        key: z.string().default('').describe('PEM file of its private key; set both or none'),
      })
      .refine(({ cert, key }) => (cert === '') === (key === ''), 'set both cert and key, or none of them')
      .prefault({}),
  })
  .transform((section) => ({
    listen: section.listen,
    scheme: section.scheme,
    tls: section.tls,
    ratePerSecond: section.rate,
    deadlineMs: section.deadline,
    inFlightMax: section['max-in-flight'],
    inFlightPerClientMax: section['max-in-flight-per-client'],
  }))

/** Room for a few hundred lines. */
const AUDIT_FILE_BYTES_MIN = 64 * 2 ** 10

const audit = z
  .strictObject({
    enabled: z.boolean().default(true).describe('keep every validation call with its result'),
    path: z
      .string()
      .min(1)
      .max(1_024)
      .default('audit')
      .describe('folder of the log, relative to the data directory; nothing else lies in it'),
    size: size
      .refine(
        (bytes) => bytes >= AUDIT_FILE_BYTES_MIN && bytes <= 16 * 2 ** 30,
        'expected between 64KiB and 16GiB',
      )
      .prefault('64MiB')
      .describe('a file so large takes no more lines; the next one begins'),
    files: z.int().min(0).max(1_000_000).default(16).describe('files kept; the oldest go. 0: keep all'),
    'on-failure': z
      .enum(['warn', 'refuse'])
      .default('warn')
      .describe('while the log cannot be written: warn and answer, or refuse every call'),
  })
  .transform(({ 'on-failure': onFailure, size: fileBytesMax, files: filesMax, ...rest }) => ({
    ...rest,
    fileBytesMax,
    filesMax,
    onFailure,
  }))

const stoq = z.strictObject({
  enabled: z.boolean().default(true).describe('answer STOQ calls too (QUIC, the same as the CA endpoint)'),
  listen: listenAddress
    .prefault('[::1]:9292')
    .describe("where STOQ clients call, by UDP; TrustChain's default address"),
})

const mempool = z
  .strictObject({
    'max-items': z.int().min(16).max(1_000_000).default(10_000).describe('transactions waiting at most'),
    'max-bytes': size
      .refine((bytes) => bytes >= 2 ** 20, 'expected at least 1MiB')
      .prefault('64MiB')
      .describe('their size together at most'),
  })
  .transform((section) => ({ maxItems: section['max-items'], maxBytes: section['max-bytes'] }))

const storage = z
  .strictObject({
    'cache-size': size
      .refine(
        (bytes) => bytes >= 2 ** 20 && bytes < 2 ** 32,
        'expected at least 1MiB and less than 4GiB, as LevelDB counts its cache in 32 bits',
      )
      .prefault('32MiB')
      .describe("LevelDB's cache of blocks that were read; less than 4GiB"),
    'prune-blocks': z
      .int()
      .min(0)
      .refine(
        (blocks) => blocks === 0 || blocks >= PRUNE_BLOCKS_MIN,
        `expected 0 or at least ${PRUNE_BLOCKS_MIN}`,
      )
      .default(0)
      .describe('blocks to keep, and all since the oldest snapshot; older ones are deleted. 0: keep all'),
    'snapshot-epochs': z
      .int()
      .min(0)
      .max(1_000_000)
      .default(1)
      .describe('a snapshot of the state at the end of every so many epochs, for nodes that join. 0: none'),
    'seed-checkpoints': z
      .array(z.string().min(1))
      .max(16)
      .refine(
        (folders) => folders.length === 0 || new Set(folders).size >= 3,
        'expected none, or three different folders at least: one disk that fails must not take all',
      )
      .default([])
      .describe(
        'folders, best on different machines, in which a signed checkpoint is kept at the end of every epoch',
      ),
    'snapshots-kept': z.int().min(1).max(16).default(2).describe('snapshots kept; the oldest go'),
  })
  .transform((section) => ({
    cacheBytes: section['cache-size'],
    pruneBlocks: section['prune-blocks'],
    snapshotEpochs: section['snapshot-epochs'],
    snapshotsKept: section['snapshots-kept'],
    seedCheckpoints: section['seed-checkpoints'],
  }))

const sync = z.strictObject({
  trust: trustedBlock
    .prefault('')
    .describe('HEIGHT:BLOCK_ID of a block that you know to be final; a chain without it is refused'),
})

const validator = z
  .strictObject({
    'doppelganger-wait': duration
      .refine((ms) => ms >= 1_000 && ms <= 600_000, 'expected between 1s and 10min')
      .prefault('10s')
      .describe(
        'a key that was moved, copied, restored, imported or not used since the machine booted signs only after listening whether it is in use elsewhere: at least so long, up to twice as long',
      ),
  })
  .transform((section) => ({ doppelgangerWaitMs: section['doppelganger-wait'] }))

const mining = z
  .strictObject({
    enabled: z.boolean().default(true).describe('mine, on a network that is mined; false: only follow'),
    'hash-rate': z
      .int()
      .min(0)
      .max(1_000_000_000)
      .default(0)
      .describe('hashes per second at most; 0: as many as one core makes'),
  })
  .transform((section) => ({ enabled: section.enabled, hashesPerSecondMax: section['hash-rate'] }))

/** `info`, or `info,p2p=debug,rpc=warn`: one level for all, then one for a module and what is below it. */
const LEVEL_SPEC = /^(?:silent|error|warn|info|debug)(?:,[a-z][a-z0-9.-]*=(?:silent|error|warn|info|debug))*$/

export const configSchema = z.strictObject({
  schema: z.literal(1).default(1).describe('version of this file'),
  p2p: p2p.prefault({}),
  ca: ca.prefault({}),
  stoq: stoq.prefault({}),
  api: z
    .strictObject({
      listen: listenAddress.prefault('127.0.0.1:9441').describe('public API: status, blocks, peers'),
    })
    .prefault({}),
  metrics: z
    .strictObject({ listen: listenAddress.prefault('127.0.0.1:9442').describe('Prometheus: /metrics') })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .string()
        .regex(
          LEVEL_SPEC,
          'expected a level (silent, error, warn, info, debug), then module=level, as in "info,p2p=debug"',
        )
        .default('info')
        .describe('a level, then module=level: "info,p2p=debug"'),
      format: z
        .enum(['auto', 'human', 'json'])
        .default('auto')
        .describe('auto: human on a terminal, else json'),
    })
    .prefault({}),
  audit: audit.prefault({}),
  mempool: mempool.prefault({}),
  storage: storage.prefault({}),
  sync: sync.prefault({}),
  validator: validator.prefault({}),
  mining: mining.prefault({}),
})

/** The configuration as the code uses it: camel case, milliseconds and bytes, every default filled in. */
export type Config = z.output<typeof configSchema>
export type P2pConfig = Config['p2p']
export type CaConfig = Config['ca']
export type AuditConfig = Config['audit']
export type StoqConfig = Config['stoq']
export type LogConfig = Config['log']
export type MempoolConfig = Config['mempool']
export type StorageConfig = Config['storage']
export type MiningConfig = Config['mining']
