/**
 * A validator that signs two contents for each slot, as a process among three honest ones: it is punished on the
 * ledger of all of them, once, within ten blocks of its first offence, and out of the set when the epoch ends.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityKeyFile } from '../../src/cli/node-keys.ts'
import { voteSigningPayload } from '../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import { loadIdentity } from '../../src/crypto/keystore.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import type { Evidence, SignedContent } from '../../src/types/evidence.ts'
import { makeEvidence } from '../../src/types/evidence.ts'
import { asEpoch, asHeight, asView, type BlockHash } from '../../src/types/primitives.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { until } from '../support/e2e/until.ts'
import { startMaverick } from '../support/maverick/start-maverick.ts'

const WITHIN_BLOCKS = 10
const EPOCH = 24
const STAKE = 1_000n

interface SlashJson {
  readonly account: string
  readonly height: number
  readonly stake: string
  readonly burnt: string
}

interface BlockJson {
  readonly height: number
  readonly view: number
  /** Unix milliseconds. */
  readonly time: number
}

let network: LocalNetwork
let maverick: NodeProcess
let honest: readonly NodeProcess[]
/** When the offender came. */
let startHeight = 0

const json = async <T>(node: NodeProcess, path: string): Promise<T> =>
  (await (await fetch(`${node.api}${path}`)).json()) as T
const slashesAt = (node: NodeProcess): Promise<SlashJson[]> => json(node, '/v1/evidence')

/** A transaction in canonical bytes, to a node's API. */
async function submit(node: NodeProcess, bytes: Uint8Array): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${node.api}/v1/transactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ transaction: Buffer.from(bytes).toString('base64') }),
  })
  return { status: answer.status, text: await answer.text() }
}

beforeAll(async () => {
  network = await LocalNetwork.create({ parameters: { epochBlocks: EPOCH, heartbeatMs: 200 } })
  honest = network.nodes.slice(0, 3)
  for (const node of honest) node.start()
  await Promise.all(honest.map((node) => node.ready()))
  const { folder, api, ca } = network.node(3)
  startHeight = (await honest[0]?.height()) ?? 0
  maverick = startMaverick(folder, ['double-proposals', 'double-votes'], {
    api,
    ca,
    args: ['--log.level', 'info,maverick=debug'],
  })
}, 180_000)

afterAll(async () => {
  await network?.destroy()
})

describe('a validator that equivocates', () => {
  it('is punished on every node, once, within ten blocks', { timeout: 120_000 }, async () => {
    const [first] = honest as [NodeProcess]
    await until(async () => (await slashesAt(first)).length > 0, 90_000, 'the punishment')
    const [slash] = (await slashesAt(first)) as [SlashJson]
    const firstOffence = await firstOffenceAt(maverick, first)
    expect(slash.height - firstOffence).toBeLessThanOrEqual(WITHIN_BLOCKS)
    expect(BigInt(slash.stake)).toBe(STAKE)
    // Alone it is a quarter of the stake: three times as much is burnt.
    expect(BigInt(slash.burnt)).toBe((STAKE * 3n) / 4n)
    for (const node of honest) {
      await until(async () => (await slashesAt(node)).length > 0, 30_000, `${node.name} has it too`)
      expect(await slashesAt(node)).toEqual([slash])
    }
  })

  it('is out of the set when the epoch ends, and the chain goes on', { timeout: 120_000 }, async () => {
    const [first] = honest as [NodeProcess]
    const { epoch } = await first.status()
    await until(async () => (await first.status()).epoch > epoch, 90_000, 'the epoch ends')
    expect((await first.status()).validators).toBe(3)
    const height = await first.height()
    await until(async () => (await first.height()) > height + 10, 30_000, 'ten more blocks')
    for (const node of honest) expect(await slashesAt(node)).toHaveLength(1)
  })
})

describe('evidence', () => {
  const contents = (signature: (of: SignedContent) => Uint8Array): [SignedContent, SignedContent] => {
    const content = (byte: string): SignedContent => {
      const of = {
        height: asHeight(5),
        blockHash: byte.repeat(64) as BlockHash,
        signature: new Uint8Array(),
        commits: null,
      }
      return { ...of, signature: signature(of) }
    }
    return [content('a'), content('b')]
  }

  async function keyOf(node: NodeProcess) {
    return (await loadIdentity(identityKeyFile(dataDirectoryAt(node.folder).keys), selectMlDsa65())).keyPair
  }

  const at = { epoch: asEpoch(0), view: asView(3) }

  async function evidenceBy(signer: NodeProcess, accused: NodeProcess): Promise<Evidence> {
    const key = await keyOf(signer)
    const [a, b] = contents(({ height, blockHash }) =>
      key.sign(
        voteSigningPayload(network.genesisHash, { kind: 'prepare', ...at, height, blockHash }, null),
        SIGNATURE_CONTEXTS.prepare,
      ),
    )
    const { publicKey } = await keyOf(accused)
    const evidence = makeEvidence('prepare', at.epoch, at.view, publicKey.raw, a, b)
    if (evidence === null) throw new Error('two contents')
    return evidence
  }

  it('that is forged is refused', { timeout: 60_000 }, async () => {
    const [first, second] = honest as [NodeProcess, NodeProcess]
    const forged = await evidenceBy(maverick, second)
    const { status, text } = await submit(
      first,
      hashTransaction({ kind: 'evidence', evidence: forged }).bytes,
    )
    expect({ status, text }).toMatchObject({ status: 400 })
    expect(text).toContain('evidence-signature')
  })

  it('of another offence of the same validator is refused: it is punished once', {
    timeout: 60_000,
  }, async () => {
    const [first] = honest as [NodeProcess]
    const true_ = await evidenceBy(maverick, maverick)
    const { status, text } = await submit(first, hashTransaction({ kind: 'evidence', evidence: true_ }).bytes)
    expect({ status, text }).toMatchObject({ status: 409 })
    expect(text).toContain('evidence-punished')
  })

  it('is none where one content has two signatures', { timeout: 60_000 }, async () => {
    const key = await keyOf(maverick)
    const content = { height: asHeight(5), blockHash: 'a'.repeat(64) as BlockHash }
    const payload = voteSigningPayload(network.genesisHash, { kind: 'prepare', ...at, ...content }, null)
    const sign = (): SignedContent => ({
      ...content,
      commits: null,
      signature: key.sign(payload, SIGNATURE_CONTEXTS.prepare),
    })
    const [one, other] = [sign(), sign()]
    expect(Buffer.compare(one.signature, other.signature)).not.toBe(0)
    expect(makeEvidence('prepare', at.epoch, at.view, key.publicKey.raw, one, other)).toBe(null)
  })

  it('leaves the honest three with one chain, and no lie of theirs', { timeout: 60_000 }, async () => {
    const { differences } = await compareChains(honest)
    expect(differences).toEqual([])
    for (const node of honest) {
      expect((await slashesAt(node)).map(({ account }) => account)).toHaveLength(1)
    }
  })
})

/**
 * Height of the chain when the offender, by its own log, first signed a second content in the latest view of it.
 * While it catches up it signs in views that ended long ago: nobody keeps the votes of those, they harm nobody, and
 * none of them can be proven.
 */
async function firstOffenceAt(offender: NodeProcess, node: NodeProcess): Promise<number> {
  const offences = offender
    .log()
    .split('\n')
    .filter((text) => text.includes('the maverick misbehaved'))
    .map((text) => JSON.parse(text) as { time: string; view: number })
  let block = await blockAt(node, Math.max(1, startHeight))
  for (const { time, view } of offences) {
    const at = Date.parse(time)
    for (let next = await blockAt(node, block.height + 1); next.time < at; ) {
      block = next
      next = await blockAt(node, block.height + 1)
    }
    if (view >= block.view) return block.height
  }
  throw new Error('it signed no two contents in a view that was the latest')
}

const blockAt = (node: NodeProcess, height: number): Promise<BlockJson> => json(node, `/v1/blocks/${height}`)
