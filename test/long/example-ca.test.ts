/**
 * The example certificate authority against four validators that it finds by SRV records, over each carrier: it issues
 * real certificates that name their receipt, survives the loss of the node that it asked in the middle of a request, and
 * issues nothing without a Valid verdict that is proven.
 */

import { createHash, X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../examples/certificate-authority/authority.ts'
import { confirmByReceipt } from '../../examples/certificate-authority/evidence.ts'
import { issue } from '../../examples/certificate-authority/issue.ts'
import { makeSigningRequest } from '../../examples/certificate-authority/names.ts'
import type { Carrier, Carriers } from '../../src/client/carrier.ts'
import type { Attempt } from '../../src/client/client-error.ts'
import { HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { nodeCarriers } from '../../src/client/node/node-client.ts'
import { SrvDiscovery } from '../../src/client/node/srv-discovery.ts'
import {
  HTTPS_SERVICE,
  LIBP2P_SERVICE,
  type SrvService,
  STOQ_SERVICE,
} from '../../src/client/node/srv-records.ts'
import { parseGenesis } from '../../src/config/genesis-file.ts'
import { genesisTrust } from '../../src/ledger/receipt/genesis-trust.ts'
import { peerLabel } from '../../src/network/peer-label.ts'
import type { ReceiptTrust } from '../../src/types/receipt.ts'
import { run } from '../support/cli/processes.ts'
import { DnsServer } from '../support/client/dns-server.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH } from '../support/e2e/node-process.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'examples', 'certificate-authority', 'main.ts')
const DOMAIN = 'ca.example.test'

const SERVICES = { https: HTTPS_SERVICE, stoq: STOQ_SERVICE, libp2p: LIBP2P_SERVICE } as const
const WAYS = ['https', 'stoq', 'libp2p'] as const
type Way = (typeof WAYS)[number]

let network: LocalNetwork
let dns: DnsServer
let folder: string
let trust: ReceiptTrust

/** Where each node is published, the first of them to be asked first. */
function publish(order: readonly number[]): void {
  const entries = (target: (i: number) => string, port: 'ca' | 'stoq' | 'p2p') =>
    order.map((i, rank) => ({
      priority: rank,
      weight: 1,
      port: network.ports[i]?.[port] ?? 0,
      target: target(i),
    }))
  const named = (i: number): string => {
    const peerId = network.address(i, 'tcp').split('/').at(-1) ?? ''
    return `${peerLabel(peerId)}.${DOMAIN}`
  }
  const at = ({ prefix }: SrvService): string => `${prefix}.${DOMAIN}`
  dns.records.set(
    at(HTTPS_SERVICE),
    entries(() => 'localhost', 'ca'),
  )
  dns.records.set(
    at(STOQ_SERVICE),
    entries(() => 'localhost', 'stoq'),
  )
  dns.records.set(at(LIBP2P_SERVICE), entries(named, 'p2p'))
  for (const i of order) dns.hosts.set(named(i), '127.0.0.1')
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-ca-'))
  // What "localhost" is, is not the same everywhere; this it is.
  const { address } = await lookup('localhost')
  network = await LocalNetwork.start({ doorHost: isIPv6(address) ? `[${address}]` : address })
  dns = await DnsServer.start()
  trust = genesisTrust(parseGenesis(readFileSync(network.genesisFile, 'utf8'), network.genesisFile))
})
afterAll(async () => {
  await dns?.close()
  await network?.destroy()
  rmSync(folder, { recursive: true, force: true })
})

const files = (): string[] => readdirSync(folder).sort()

/** The example as a process of its own, with the built package under its own name. */
function runMain(way: Way, ...args: readonly string[]) {
  const where = ['--discover', DOMAIN, '--dns', dns.address, '--by', way]
  return run([process.execPath, MAIN, '--ca', folder, ...where, ...args]).ended
}

const byGenesis = (): string[] => ['--genesis', network.genesisFile]

/** A client that finds the nodes as the example does, and tells when a node is being asked for a verdict. */
function watchedClient(way: Way, asked: () => void, attempts: Attempt[]) {
  const all = nodeCarriers({ network: network.genesisHash })
  const make = all[way]
  if (make === undefined) throw new Error(`no carrier for ${way}`)
  const watched = (endpoint: string): Carrier => {
    const carrier = make(endpoint)
    return {
      call: (method, payload, limits) => {
        const called = carrier.call(method, payload, limits)
        if (method === 'validate_certificate') asked()
        return called
      },
      close: () => carrier.close(),
    }
  }
  const carriers: Carriers = { [way]: watched }
  return new HypermeshClient({
    endpoints: new SrvDiscovery({ domain: DOMAIN, servers: [dns.address], services: [SERVICES[way]] }),
    carriers,
    // QUIC tells nobody that a process is gone.
    attemptDeadlineMs: 5_000,
    onAttempt: (attempt) => attempts.push(attempt),
  })
}

const IDENTITY = { nodeId: 'ca', stakeHolder: 'ca', stakeHolderId: 'ca-1', stakeAmount: 10_000n }

async function issueWith(client: HypermeshClient, name: string) {
  const authority = await Authority.open(folder, 'unused')
  const { csr } = await makeSigningRequest(name)
  return () => issue(csr, { authority, identity: IDENTITY, confirm: confirmByReceipt(client, trust), folder })
}

describe.each(WAYS)('over %s, at a node that SRV records name', { timeout: 90_000 }, (way) => {
  it('it issues a certificate that checks out and carries the hash of its receipt', async () => {
    publish([1, 2])
    const name = `${way}.example.test`
    const { csr } = await makeSigningRequest(name)
    const file = join(folder, `${way}.csr`)
    writeFileSync(file, csr)
    const { code, stdout, stderr } = await runMain(way, '--csr', file, ...byGenesis())
    // Asked twice, for the verdict and for its receipt, and nobody but who is published first.
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^(?:(\S+): answered\n)(?:\1: \S.*\n)*\1: answered\n$/),
    })
    const path = /^issued (.+\.pem)\n$/.exec(stdout)?.[1] ?? ''
    const certificate = new X509Certificate(readFileSync(path))
    const authority = new X509Certificate(readFileSync(join(folder, 'ca.pem')))
    expect(certificate.verify(authority.publicKey)).toBe(true)
    expect(certificate.checkIssued(authority)).toBe(true)
    expect(certificate.checkHost(name)).toBe(name)
    expect(certificate.checkHost('other.example.test')).toBeUndefined()
    expect(certificate.ca).toBe(false)
    // OID 1.3.6.1.4.1.32473.4.1, then an OCTET STRING that holds an OCTET STRING of 32 bytes.
    const receipt = path.replace(/pem$/, 'receipt.json')
    const hash = createHash('sha256').update(readFileSync(receipt)).digest('hex')
    expect(certificate.raw.toString('hex')).toContain(`060a2b0601040181fd590401${'0422'}${'0420'}${hash}`)
    const request = path.replace(/pem$/, 'request.json')
    const verify = ['verify', receipt, ...byGenesis(), '--request', request, '--require-valid']
    expect(await run([...HYPERMESH, ...verify]).ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('it issues when that node is lost in the middle of the request', async () => {
    publish([0, 1])
    const attempts: Attempt[] = []
    const asked = Promise.withResolvers<void>()
    const client = watchedClient(way, asked.resolve, attempts)
    try {
      // A connection that is open already, to a node that takes the request and does not get to answer it.
      await client.health()
      const lost = client.endpoints().find(({ priority }) => priority === 0)?.endpoint
      attempts.length = 0
      network.node(0).pause()
      const issuing = (await issueWith(client, `survivor-${way}.example.test`))()
      await asked.promise
      await network.node(0).kill()
      expect(await issuing).toMatchObject({ ok: true })
      expect([attempts[0]?.endpoint, attempts[0]?.outcome]).toEqual([lost, 'unreachable'])
      const by = attempts.filter(({ outcome }) => outcome === 'answered').map(({ endpoint }) => endpoint)
      expect(by).toHaveLength(2)
      expect(by).not.toContain(lost)
    } finally {
      await client.close()
    }
    network.node(0).start()
    await network.node(0).ready(60_000)
  })
})

describe('it issues nothing', { timeout: 60_000 }, () => {
  it.each(WAYS)('against an Invalid verdict, over %s', async (way) => {
    publish([1, 2])
    const before = files()
    const { csr } = await makeSigningRequest('poor.example.test')
    const file = join(folder, 'poor.csr')
    writeFileSync(file, csr)
    const { code, stdout, stderr } = await runMain(way, '--csr', file, '--stake', '5', ...byGenesis())
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('nothing issued (invalid): stake_amount 5 is below the minimum 100')
    rmSync(file)
    expect(files()).toEqual(before)
  })

  it('when every receipt is forged on the way', async () => {
    publish([1, 2])
    const before = files()
    const { https: make } = nodeCarriers()
    if (make === undefined) throw new Error('no carrier for HTTPS')
    const forging = (endpoint: string): Carrier => {
      const carrier = make(endpoint)
      return {
        call: async (method, payload, limits) => {
          const reply = await carrier.call(method, payload, limits)
          if (method !== 'receipt') return reply
          const text = Buffer.from(reply.payload).toString()
          // The record, which would be taken for another one's.
          const forged = text.replace(
            /("record": "[0-9a-f]{20})(.)/,
            (_, head, digit) => head + (digit === '0' ? '1' : '0'),
          )
          return { ...reply, payload: Buffer.from(forged) }
        },
        close: () => carrier.close(),
      }
    }
    const client = new HypermeshClient({
      endpoints: new SrvDiscovery({ domain: DOMAIN, servers: [dns.address], services: [HTTPS_SERVICE] }),
      carriers: { https: forging },
    })
    try {
      const result = await (await issueWith(client, 'forged.example.test'))()
      expect(result).toMatchObject({
        ok: false,
        code: 'no-proof',
        detail: expect.stringContaining('wrong-path'),
      })
    } finally {
      await client.close()
    }
    expect(files()).toEqual(before)
  })

  it('when the receipt is not of the network that it trusts', async () => {
    const genesis = join(folder, 'other-genesis.json')
    writeFileSync(
      genesis,
      readFileSync(network.genesisFile, 'utf8').replace('"network": "e2e"', '"network": "e2f"'),
    )
    const { csr } = await makeSigningRequest('elsewhere.example.test')
    const file = join(folder, 'elsewhere.csr')
    writeFileSync(file, csr)
    const before = files()
    const { code, stdout, stderr } = await runMain('https', '--csr', file, '--genesis', genesis)
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
    expect(stderr).toContain('nothing issued (no-proof): no receipt holds')
    expect(stderr).toContain('wrong-network')
    expect(files()).toEqual(before)
  })

  it('when there is no quorum to give a verdict', async () => {
    await Promise.all([network.node(0).kill(), network.node(3).kill()])
    const { csr } = await makeSigningRequest('lonely.example.test')
    const file = join(folder, 'lonely.csr')
    writeFileSync(file, csr)
    const before = files()
    const { code, stdout, stderr } = await runMain('https', '--csr', file, '--timeout', '3', ...byGenesis())
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
    expect(stderr).toContain('nothing issued (no-verdict)')
    expect(files()).toEqual(before)
  })
})
