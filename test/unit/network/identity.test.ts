import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { validatorId } from '../../../src/codec/genesis.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import {
  decodeIdentity,
  type IdentityStatement,
  type IdentityVerifier,
  type KnownIdentity,
  signIdentity,
} from '../../../src/network/identity-certificate.ts'
import { IdentityDirectory } from '../../../src/network/identity-directory.ts'
import { type NetworkKey, networkKeyFromSeed } from '../../../src/network/network-key.ts'
import { IDENTITY_CERTIFICATES } from '../../../src/network/topics.ts'
import { asUnixMs, type GenesisHash } from '../../../src/types/primitives.ts'

const GENESIS = 'ab'.repeat(32) as GenesisHash
const NOW = 1_700_000_000_000
const mlDsa = selectMlDsa65()
const context = SIGNATURE_CONTEXTS['identity-certificate']
const keyPair = mlDsa.keyPairFromSeed(randomBytes(32))
const stranger = mlDsa.keyPairFromSeed(randomBytes(32))
const publicKey = keyPair.publicKey.raw
const id = validatorId(publicKey)
const signer = { publicKey, sign: (payload: Uint8Array) => keyPair.sign(payload, context) }
let networkKey: NetworkKey
let otherNetworkKey: NetworkKey

beforeAll(async () => {
  networkKey = await networkKeyFromSeed(randomBytes(32))
  otherNetworkKey = await networkKeyFromSeed(randomBytes(32))
})

const statement = (changes: Partial<IdentityStatement> = {}): IdentityStatement => ({
  genesisHash: GENESIS,
  peerId: networkKey.peerId,
  mlDsaPublicKey: publicKey,
  notBefore: asUnixMs(NOW),
  sequence: 7,
  addresses: ['/ip4/192.0.2.1/tcp/4001'],
  ...changes,
})

const certificate = (changes: Partial<IdentityStatement> = {}): Promise<Uint8Array> =>
  signIdentity(statement(changes), signer, networkKey.privateKey)

function setUp() {
  const changes: KnownIdentity[] = []
  let verifications = 0
  const verify: IdentityVerifier = (key, payload, signature) => {
    verifications += 1
    return mlDsa.publicKey(key)?.verify(payload, signature, context) ?? false
  }
  const directory = new IdentityDirectory({
    genesisHash: GENESIS,
    verify,
    nowMs: () => NOW,
    onChange: (identity) => changes.push(identity),
  })
  directory.setValidators([id])
  return { directory, changes, verifications: () => verifications }
}

describe('the directory of identity certificates', () => {
  it('takes a true one, once', async () => {
    const { directory, changes, verifications } = setUp()
    const bytes = await certificate()
    expect(directory.hasGaps).toBe(true)
    expect(await directory.offer(bytes)).toEqual({ ok: true, value: 'new' })
    expect(await directory.offer(bytes)).toEqual({ ok: true, value: 'known' })
    expect(verifications()).toBe(1)
    expect(changes.map(({ statement: { peerId } }) => peerId)).toEqual([networkKey.peerId])
    expect(directory.get(id)).toMatchObject({ id, bytes, statement: { sequence: 7 } })
    expect(directory.hasGaps).toBe(false)
  })

  it('lets the higher sequence win, also with another network key', async () => {
    const { directory, changes } = setUp()
    await directory.offer(await certificate())
    expect(await directory.offer(await certificate({ sequence: 6 }))).toEqual({ ok: true, value: 'known' })
    const rotated = await signIdentity(
      statement({ sequence: 8, peerId: otherNetworkKey.peerId }),
      signer,
      otherNetworkKey.privateKey,
    )
    expect(await directory.offer(rotated)).toEqual({ ok: true, value: 'new' })
    expect(directory.get(id)?.statement.peerId).toBe(otherNetworkKey.peerId)
    expect(changes).toHaveLength(2)
  })

  it('has a place for validators only, and forgets who is none any more', async () => {
    const { directory, verifications } = setUp()
    directory.setValidators([])
    expect(await directory.offer(await certificate())).toMatchObject({ ok: false, code: 'not-a-validator' })
    expect(verifications()).toBe(0)
    directory.setValidators([id])
    await directory.offer(await certificate())
    directory.setValidators([])
    expect(directory.all()).toEqual([])
  })

  it.each<[string, () => Promise<Uint8Array>, string]>([
    [
      'of another network',
      () => certificate({ genesisHash: 'cd'.repeat(32) as GenesisHash }),
      'wrong-genesis',
    ],
    [
      'from the future',
      () => certificate({ notBefore: asUnixMs(NOW + IDENTITY_CERTIFICATES.clockSkewMaxMs + 1) }),
      'not-yet-valid',
    ],
    ['of a peer id that is none', () => certificate({ peerId: 'nobody' }), 'invalid-peer-id'],
    [
      'for a foreign peer id',
      () => certificate({ peerId: otherNetworkKey.peerId }),
      'invalid-network-signature',
    ],
    [
      'that a stranger signed for us',
      () =>
        signIdentity(
          statement(),
          { publicKey, sign: (payload) => stranger.sign(payload, context) },
          networkKey.privateKey,
        ),
      'invalid-identity-signature',
    ],
    [
      'signed under another context',
      () =>
        signIdentity(
          statement(),
          { publicKey, sign: (payload) => keyPair.sign(payload, SIGNATURE_CONTEXTS.prepare) },
          networkKey.privateKey,
        ),
      'invalid-identity-signature',
    ],
  ])('refuses one %s', async (_name, make, code) => {
    const { directory } = setUp()
    expect(await directory.offer(await make())).toMatchObject({ ok: false, code })
    expect(directory.all()).toEqual([])
  })

  it('refuses every single altered byte', async () => {
    const { directory } = setUp()
    const bytes = await certificate()
    // Every field by its edges, and a spread of the long ones: a whole key takes 6,000 verifications.
    const at = new Set([
      ...Array(24).keys(),
      ...Array.from({ length: 60 }, (_, i) => Math.floor((i * bytes.length) / 60)),
    ])
    for (const index of at) {
      const altered = Uint8Array.from(bytes)
      altered[index] = (altered[index] ?? 0) ^ 1
      const outcome = await directory.offer(altered)
      expect(outcome.ok, `byte ${index}`).toBe(false)
    }
    expect(directory.all()).toEqual([])
  })

  it('refuses what is cut, too long, or nothing', async () => {
    const { directory } = setUp()
    const bytes = await certificate()
    for (const bad of [
      new Uint8Array(),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.alloc(1)]),
      Buffer.alloc(20_000),
    ]) {
      expect(await directory.offer(bad)).toMatchObject({ ok: false })
    }
    expect(decodeIdentity(bytes).ok).toBe(true)
  })
})
