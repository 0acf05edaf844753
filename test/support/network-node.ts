/** A real node of the network layer on loopback, with its own keys; and waiting for a condition, not for a time. */

import { randomBytes } from 'node:crypto'
import { validatorId } from '../../src/codec/genesis.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../src/crypto/ml-dsa.ts'
import { selectMlDsa65, selectMlKem768 } from '../../src/crypto/select.ts'
import type { AddressBookFile } from '../../src/network/address-book.ts'
import { createHost, type HostOptions, type NetworkHost } from '../../src/network/host.ts'
import type { IdentitySigner, IdentityVerifier } from '../../src/network/identity-certificate.ts'
import type { NetworkCounts, NetworkMeter } from '../../src/network/meter.ts'
import { createNetwork, type Network, type NetworkOptions } from '../../src/network/network.ts'
import { networkKeyFromSeed } from '../../src/network/network-key.ts'
import { ValidatorPeers } from '../../src/network/validator-peers.ts'
import { AuthenticatedPeers } from '../../src/session/authenticated-peers.ts'
import { Sessions } from '../../src/session/sessions.ts'
import type { Logger } from '../../src/types/logger.ts'
import { asHeight, type GenesisHash, type ValidatorId } from '../../src/types/primitives.ts'

export const GENESIS = 'ab'.repeat(32) as GenesisHash

/** Keeps what was counted, for a test to look at. */
export class CountingMeter {
  readonly counts = new Map<string, number>()
  readonly meter: NetworkMeter = (what, reason, amount = 1) => {
    const key = `${what}/${reason}`
    this.counts.set(key, (this.counts.get(key) ?? 0) + amount)
  }

  of<What extends keyof NetworkCounts>(what: What, reason: NetworkCounts[What]): number {
    return this.counts.get(`${what}/${reason}`) ?? 0
  }
}

/** Keeps warnings and errors; a test may demand that there are none. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = []
  debug(): void {}
  info(_fields: object, _message: string): void {}
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message })
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message })
  }
}

export interface TestNode {
  readonly host: NetworkHost
  readonly id: ValidatorId
  readonly keyPair: MlDsaKeyPair
  readonly networkSeed: Uint8Array
  readonly identities: AuthenticatedPeers
  readonly validatorPeers: ValidatorPeers
  readonly meter: CountingMeter
  readonly logger: RecordingLogger
}

export interface TestNodeOptions extends Partial<HostOptions> {
  readonly mlDsaSeed?: Uint8Array
  readonly networkSeed?: Uint8Array
}

export const TCP = '/ip4/127.0.0.1/tcp/0'
export const QUIC = '/ip4/127.0.0.1/udp/0/quic-v1'

interface Parts extends Omit<TestNode, 'host'> {
  readonly hostOptions: HostOptions
  readonly signer: IdentitySigner
  readonly verifyIdentity: IdentityVerifier
}

async function parts(options: TestNodeOptions): Promise<Parts> {
  const mlDsa = selectMlDsa65()
  const keyPair = mlDsa.keyPairFromSeed(options.mlDsaSeed ?? randomBytes(32))
  const networkSeed = options.networkSeed ?? randomBytes(32)
  const networkKey = await networkKeyFromSeed(networkSeed)
  const identities = new AuthenticatedPeers()
  const id = validatorId(keyPair.publicKey.raw)
  const validatorPeers = new ValidatorPeers(identities, id)
  const meter = new CountingMeter()
  const logger = new RecordingLogger()
  const genesisHash = options.genesisHash ?? GENESIS
  const sessions = new Sessions({
    identity: { peerId: networkKey.peerId, keyPair, genesisHash: Buffer.from(genesisHash, 'hex') },
    admit: () => true,
    peers: identities,
    mlDsa,
    mlKem: selectMlKem768(),
    logger,
  })
  const hostOptions: HostOptions = {
    networkKey,
    genesisHash,
    sessions,
    validatorPeers,
    listen: [TCP, QUIC],
    privateAddresses: true,
    userAgent: 'hypermesh/test',
    meter: meter.meter,
    logger,
    ...options,
  }
  const context = SIGNATURE_CONTEXTS['identity-certificate']
  return {
    hostOptions,
    id,
    keyPair,
    networkSeed,
    identities,
    validatorPeers,
    meter,
    logger,
    signer: { publicKey: keyPair.publicKey.raw, sign: (payload) => keyPair.sign(payload, context) },
    verifyIdentity: (publicKey, payload, signature) =>
      mlDsa.publicKey(publicKey)?.verify(payload, signature, context) ?? false,
  }
}

/** Builds a libp2p node that listens on TCP and QUIC on free loopback ports; not started. */
export async function testNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const { hostOptions, ...rest } = await parts(options)
  return { ...rest, host: await createHost(hostOptions) }
}

/** A whole network layer with recorders behind its ports. */
export interface TestNetwork extends TestNode {
  readonly network: Network
  readonly messages: { readonly from: ValidatorId; readonly bytes: Uint8Array }[]
  readonly transactions: Uint8Array[]
  readonly announcements: Uint8Array[]
}

/** An address book's text in memory; give the same to two nodes after each other, as a restart does. */
export function bookInMemory(): AddressBookFile & { text: string | null } {
  const kept = {
    text: null as string | null,
    read: () => kept.text,
    write: (text: string) => {
      kept.text = text
    },
  }
  return kept
}

/** Builds a whole network layer on free loopback ports; not started. */
export async function testNetwork(
  options: TestNodeOptions & Partial<NetworkOptions> = {},
): Promise<TestNetwork> {
  const { hostOptions, signer, verifyIdentity, ...rest } = await parts(options)
  const messages: TestNetwork['messages'] = []
  const transactions: Uint8Array[] = []
  const announcements: Uint8Array[] = []
  const network = await createNetwork({
    ...hostOptions,
    bootstrap: [],
    addressBook: bookInMemory(),
    identities: rest.identities,
    signer,
    verifyIdentity,
    gossip: {
      onTransactions: (batch) => {
        transactions.push(...batch)
        return 'accept'
      },
      onBlock: (bytes) => {
        announcements.push(bytes)
        return 'accept'
      },
    },
    blockSource: {
      blockByHash: () => Buffer.from('a block'),
      range: () => ({ blocks: [Buffer.from('a block')], certificate: null }),
      finality: () => ({ height: asHeight(0), certificate: null }),
      lowestHeight: () => asHeight(0),
    },
    snapshotSource: {
      offers: () => [],
      manifest: () => null,
      chunk: async () => null,
      handOver: async () => null,
    },
    calls: { answer: (request) => Promise.resolve(request), refuse: (reason) => Buffer.from(reason) },
    onConsensusMessage: (from, bytes) => messages.push({ from, bytes }),
    onReachabilityChange: () => undefined,
    nowMs: () => Date.now(),
    logger: rest.logger,
    ...options,
  })
  return { ...rest, host: network.host, network, messages, transactions, announcements }
}

/** Waits until a condition holds; the deadline is for a hang, not for a result. */
export async function until(condition: () => boolean, what: string, deadlineMs = 20_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The node's address over one transport. */
export function addressOf(node: TestNode, transport: 'tcp' | 'quic'): string {
  const part = transport === 'tcp' ? '/tcp/' : '/quic-v1'
  const address = node.host.addresses().find((text) => text.includes(part))
  if (address === undefined) throw new Error(`no ${transport} address`)
  return address
}
