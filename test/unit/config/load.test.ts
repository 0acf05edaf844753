/** Which value wins, where it came from, and what is said about a wrong one. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/config/errors.ts'
import { CONFIG_FIELDS, SETTABLE_FIELDS } from '../../../src/config/fields.ts'
import { type ConfigSources, loadConfig, resolveConfig } from '../../../src/config/load.ts'

const toml = (text: string): ConfigSources => ({ file: { path: 'config.toml', text } })

function refusal(sources: ConfigSources): ConfigError {
  try {
    resolveConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('the defaults', () => {
  it('are complete and typed', () => {
    const { config, origins } = resolveConfig({})
    expect(config).toEqual({
      schema: 1,
      p2p: {
        listen: ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/udp/4001/quic-v1'],
        announce: [],
        bootstrap: [],
        maxPeers: 64,
        privateAddresses: true,
        mdns: false,
      },
      ca: {
        listen: { host: '::1', port: 8080 },
        scheme: 'https',
        tls: { cert: '', key: '' },
        ratePerSecond: 2_000,
        deadlineMs: 8_000,
        inFlightMax: 16_384,
        inFlightPerClientMax: 4_096,
      },
      stoq: { enabled: true, listen: { host: '::1', port: 9292 } },
      api: { listen: { host: '127.0.0.1', port: 9441 } },
      metrics: { listen: { host: '127.0.0.1', port: 9442 } },
      log: { level: 'info', format: 'auto' },
      audit: { enabled: true, path: 'audit', fileBytesMax: 2 ** 26, filesMax: 16, onFailure: 'warn' },
      mempool: { maxItems: 10_000, maxBytes: 64 * 2 ** 20 },
      storage: {
        cacheBytes: 32 * 2 ** 20,
        pruneBlocks: 0,
        snapshotEpochs: 1,
        snapshotsKept: 2,
        seedCheckpoints: [],
      },
      sync: { trust: null },
      validator: { doppelgangerWaitMs: 10_000 },
      mining: { enabled: true, hashesPerSecondMax: 0 },
    })
    expect([...origins.values()].every((origin) => origin === 'default')).toBe(true)
    expect([...origins.keys()]).toEqual(CONFIG_FIELDS.map(({ name }) => name))
  })
})

describe('precedence', () => {
  const file =
    '[p2p]\nmax-peers = 10\nmdns = true\n[log]\nlevel = "warn"\n[ca]\ndeadline = "2s"\n[ca.tls]\ncert = "a"\nkey = "b"\n'
  const environment = {
    HYPERMESH_P2P__MAX_PEERS: '20',
    HYPERMESH_LOG__LEVEL: 'error',
    HYPERMESH_CA__TLS__CERT: 'c',
  }
  const flags = { 'log.level': 'debug,p2p=info', 'p2p.bootstrap': [] }
  const { config, origins } = resolveConfig({ ...toml(file), environment, flags })

  it.each<[name: string, value: unknown, expected: unknown, origin: string]>([
    ['p2p.max-peers', config.p2p.maxPeers, 20, 'environment'],
    ['p2p.mdns', config.p2p.mdns, true, 'file'],
    ['log.level', config.log.level, 'debug,p2p=info', 'flag'],
    ['ca.deadline', config.ca.deadlineMs, 2_000, 'file'],
    ['ca.tls.cert', config.ca.tls.cert, 'c', 'environment'],
    ['ca.tls.key', config.ca.tls.key, 'b', 'file'],
    ['p2p.bootstrap', config.p2p.bootstrap, [], 'flag'],
    ['api.listen', config.api.listen, { host: '127.0.0.1', port: 9_441 }, 'default'],
  ])('%s', (name, value, expected, origin) => {
    expect(value).toEqual(expected)
    expect(origins.get(name)).toBe(origin)
  })

  it.each<[how: string, given: string | string[]]>([
    ['one value with commas', '/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2'],
    ['a flag given twice', ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2']],
    ['a flag with commas, as the command line hands it over', ['/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/2']],
  ])('a list is taken apart: %s', (_, given) => {
    const { config } = resolveConfig({ ...toml(''), environment: {}, flags: { 'p2p.listen': given } })
    expect(config.p2p.listen).toEqual(['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2'])
  })

  it.each(SETTABLE_FIELDS.map((field) => [field.name, field] as const))(
    '%s has the same effect from the file, the environment and a flag',
    (name, field) => {
      const other: Record<string, string> = {
        'p2p.listen': '/ip4/127.0.0.1/tcp/1',
        'p2p.announce': '/dns4/a.example/tcp/4001',
        'p2p.bootstrap': '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN',
        'p2p.max-peers': '12',
        'p2p.private-addresses': 'false',
        'p2p.mdns': 'true',
        'ca.listen': '127.0.0.1:1',
        'ca.scheme': 'http',
        'ca.rate': '7/s',
        'ca.deadline': '1.5s',
        'ca.max-in-flight': '64',
        'ca.max-in-flight-per-client': '8',
        'audit.enabled': 'false',
        'audit.path': '/var/log/hypermesh',
        'audit.size': '1MiB',
        'audit.files': '3',
        'audit.on-failure': 'refuse',
        'stoq.enabled': 'false',
        'stoq.listen': '[::]:2',
        'api.listen': '[::]:1',
        'metrics.listen': 'localhost:0',
        'log.level': 'warn',
        'log.format': 'json',
        'mempool.max-items': '99',
        'mempool.max-bytes': '2MiB',
        'storage.cache-size': '1GiB',
        'storage.prune-blocks': '1000',
        'storage.snapshot-epochs': '3',
        'storage.snapshots-kept': '4',
        'storage.seed-checkpoints': '/a,/b,/c',
        'sync.trust': `7:${'ab'.repeat(32)}`,
        'validator.doppelganger-wait': '30s',
        'mining.enabled': 'false',
        'mining.hash-rate': '1000',
      }
      // cert and key only make sense together.
      if (name.startsWith('ca.tls.')) return
      const text = other[name] ?? ''
      expect(text, `a value for ${name}`).not.toBe('')
      const plain = field.kind === 'number' || field.kind === 'boolean' ? text : JSON.stringify(text)
      const items = text.split(',').map((item) => JSON.stringify(item))
      const value = field.kind === 'list' ? `[${items.join()}]` : plain
      const fromFile = resolveConfig(toml(`${name} = ${value}\n`)).config
      expect(fromFile).not.toEqual(resolveConfig({}).config)
      expect(resolveConfig({ environment: { [field.environmentName]: text } }).config).toEqual(fromFile)
      expect(resolveConfig({ flags: { [name]: text } }).config).toEqual(fromFile)
    },
  )

  it('takes as large a cache as LevelDB can hold', () => {
    expect(resolveConfig(toml('[storage]\ncache-size = "4095MiB"\n')).config.storage.cacheBytes).toBe(
      4_095 * 2 ** 20,
    )
  })

  it('leaves names with one underscore to whoever they belong to', () => {
    expect(() =>
      resolveConfig({ environment: { HYPERMESH_PORT: 'tcp://10.0.0.1:80', HYPERMESH_SERVICE_HOST: 'x' } }),
    ).not.toThrow()
  })
})

describe('a wrong configuration is refused with exit 78', () => {
  it.each<[what: string, sources: ConfigSources, code: string, message: RegExp, fix: RegExp]>([
    [
      'a slip in a key',
      toml('[p2p]\nmax-peer = 3'),
      'E_CONFIG_UNKNOWN_KEY',
      /^config\.toml: unknown setting p2p\.max-peer$/,
      /^did you mean p2p\.max-peers \?$/,
    ],
    ['camel case', toml('[p2p]\nmaxPeers = 3'), 'E_CONFIG_UNKNOWN_KEY', /p2p\.maxPeers/, /p2p\.max-peers/],
    [
      'a slip in a section',
      toml('[metric]\nlisten = "127.0.0.1:1"'),
      'E_CONFIG_UNKNOWN_KEY',
      /unknown setting metric$/,
      /did you mean metrics \?/,
    ],
    [
      'a slip in a nested key',
      toml('[ca.tls]\ncerd = "a"'),
      'E_CONFIG_UNKNOWN_KEY',
      /ca\.tls\.cerd/,
      /ca\.tls\.cert/,
    ],
    [
      'a window that is too small',
      toml('[storage]\nprune-blocks = 10'),
      'E_CONFIG_VALUE',
      /prune-blocks/,
      /./,
    ],
    [
      'a cache that LevelDB cannot hold',
      toml('[storage]\ncache-size = "4GiB"'),
      'E_CONFIG_VALUE',
      /storage\.cache-size.*less than 4GiB, as LevelDB/,
      /./,
    ],
    [
      'a block without its id',
      toml('[sync]\ntrust = "12"'),
      'E_CONFIG_VALUE',
      /sync\.trust.*HEIGHT:BLOCK_ID/,
      /./,
    ],
    [
      'another word',
      toml('[consensus]\nspeed = 1'),
      'E_CONFIG_UNKNOWN_KEY',
      /unknown setting consensus/,
      /known are: .*p2p\.listen/,
    ],
    [
      'a slip in the environment',
      { environment: { HYPERMESH_P2P__MAXPEERS: '3' } },
      'E_CONFIG_UNKNOWN_KEY',
      /HYPERMESH_P2P__MAXPEERS/,
      /HYPERMESH_P2P__MAX_PEERS/,
    ],
    [
      'a slip in a flag',
      { flags: { 'log.levle': 'info' } },
      'E_CONFIG_UNKNOWN_KEY',
      /--log\.levle/,
      /log\.level/,
    ],
    ['no TOML', toml('[p2p\n'), 'E_CONFIG_SYNTAX', /^config\.toml:1:/, /^correct that line/],
    ['another schema', toml('schema = 2'), 'E_CONFIG_VALUE', /schema/, /default is 1/],
    [
      'a bound',
      toml('[p2p]\nmax-peers = 3'),
      'E_CONFIG_VALUE',
      /p2p\.max-peers: expected at least \d+$/,
      /default is 64/,
    ],
    [
      'a type',
      toml('[p2p]\nmdns = "yes"'),
      'E_CONFIG_VALUE',
      /^config\.toml: p2p\.mdns: expected boolean/,
      /default is false/,
    ],
    [
      'a scalar where a section belongs',
      toml('p2p = 3'),
      'E_CONFIG_VALUE',
      /^config\.toml: p2p: expected object, got number$/,
      /\[p2p\]/,
    ],
    [
      'half of a key pair',
      toml('[ca.tls]\ncert = "a"'),
      'E_CONFIG_VALUE',
      /^config\.toml: ca\.tls: set both/,
      /\[ca\.tls\]/,
    ],
    [
      'half of a key pair in a flag',
      { flags: { 'ca.tls.cert': 'a' } },
      'E_CONFIG_VALUE',
      /^--ca\.tls\.cert: ca\.tls: set both/,
      /./,
    ],
    [
      'an environment name with one underscore',
      { environment: { HYPERMESH_P2P_MAX_PEERS: '5' } },
      'E_CONFIG_UNKNOWN_KEY',
      /^environment: unknown setting HYPERMESH_P2P_MAX_PEERS$/,
      /^did you mean HYPERMESH_P2P__MAX_PEERS \?$/,
    ],
    [
      'an environment name without its section',
      { environment: { HYPERMESH_MAX_PEERS: '5' } },
      'E_CONFIG_UNKNOWN_KEY',
      /HYPERMESH_MAX_PEERS$/,
      /^did you mean HYPERMESH_P2P__MAX_PEERS \?$/,
    ],
    [
      'an environment name like no other',
      { environment: { HYPERMESH_FOO__BAR: '5' } },
      'E_CONFIG_UNKNOWN_KEY',
      /HYPERMESH_FOO__BAR$/,
      /^unset it/,
    ],
    ['a short word', toml('[foo]\na = 1'), 'E_CONFIG_UNKNOWN_KEY', /unknown setting foo$/, /^known are: /],
    [
      'a format',
      toml('[log]\nformat = "xml"'),
      'E_CONFIG_VALUE',
      /^config\.toml: log\.format: expected one of "/,
      /auto/,
    ],
    [
      'a port as bootstrap',
      toml('[p2p]\nbootstrap = ["127.0.0.1:4001"]'),
      'E_CONFIG_VALUE',
      /did you mean \/ip4\/127\.0\.0\.1\/tcp\/4001 \?/,
      /./,
    ],
    [
      'a bootstrap that nobody could check',
      toml('[p2p]\nbootstrap = ["/ip4/127.0.0.1/tcp/1"]'),
      'E_CONFIG_VALUE',
      /must end in \/p2p/,
      /./,
    ],
    ['udp alone', toml('[p2p]\nlisten = ["/ip4/0.0.0.0/udp/1"]'), 'E_CONFIG_VALUE', /quic-v1/, /./],
    ['no listen address', toml('[p2p]\nlisten = []'), 'E_CONFIG_VALUE', /p2p\.listen/, /4001/],
    [
      'a duration without unit',
      toml('[ca]\ndeadline = "8"'),
      'E_CONFIG_VALUE',
      /ca\.deadline: expected a duration/,
      /8s/,
    ],
    [
      'a duration out of bounds',
      toml('[ca]\ndeadline = "1h"'),
      'E_CONFIG_VALUE',
      /between 100ms and 20s/,
      /8s/,
    ],
    ['a rate', toml('[ca]\nrate = "0/s"'), 'E_CONFIG_VALUE', /ca\.rate/, /./],
    ['a level', toml('[log]\nlevel = "chatty"'), 'E_CONFIG_VALUE', /log\.level: expected a level/, /info/],
    [
      'a listen address',
      { flags: { 'api.listen': 'nowhere' } },
      'E_CONFIG_VALUE',
      /^--api\.listen: expected host:port/,
      /9441/,
    ],
    [
      'a number in the environment',
      { environment: { HYPERMESH_P2P__MAX_PEERS: 'many' } },
      'E_CONFIG_VALUE',
      /HYPERMESH_P2P__MAX_PEERS: expected a whole number/,
      /default is 64/,
    ],
    [
      'a boolean flag',
      { flags: { 'p2p.mdns': 'yes' } },
      'E_CONFIG_VALUE',
      /--p2p\.mdns: expected true or false/,
      /default is false/,
    ],
  ])('%s', (_what, sources, code, message, fix) => {
    const error = refusal(sources)
    expect(error.code).toBe(code)
    expect(error.exitCode).toBe(78)
    expect(error.message).toMatch(message)
    expect(error.advice.fix ?? '').toMatch(fix)
  })

  it('does not let a name reach the prototype', () => {
    expect(() => resolveConfig(toml('__proto__ = { p2p = 1 }'))).toThrow(ConfigError)
    expect(() => resolveConfig(toml('constructor = 1'))).toThrow(ConfigError)
  })
})

describe('loadConfig', () => {
  it('reads the file when there is one, and says when it cannot', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hypermesh-config-'))
    try {
      expect(loadConfig(join(folder, 'config.toml'), {}).config.p2p.maxPeers).toBe(64)
      writeFileSync(join(folder, 'config.toml'), '[p2p]\nmax-peers = 9\n')
      expect(loadConfig(join(folder, 'config.toml'), {}).config.p2p.maxPeers).toBe(9)
      expect(() => loadConfig(folder, {})).toThrow(
        expect.objectContaining({ code: 'E_CONFIG_FILE', exitCode: 78 }),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
