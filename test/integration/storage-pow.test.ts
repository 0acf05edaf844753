/** Mined blocks over a real LevelDB: what may be undone is found again, what is settled has its seal, nothing is final. */
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sealBlock } from '../../src/codec/pow.ts'
import { minedFields } from '../../src/consensus/pow/seal-rules.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import type { ExecutedBlock, ParentBlock } from '../../src/ledger/executed-block.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import { stateRoot as rootOfState } from '../../src/ledger/state-root.ts'
import { META } from '../../src/storage/buckets.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { MinedBlocks } from '../../src/storage/pow-store.ts'
import type { SealedBlock, SealHash } from '../../src/types/pow.ts'
import { asHeight, asUnixMs } from '../../src/types/primitives.ts'
import { figures, GENESIS_STATE } from '../support/final-chain.ts'
import { sealed as seal } from '../support/mining.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { asParent, BLOCK_TIME, GENESIS, numberedTransaction, PORTS } from '../unit/ledger/fixtures.ts'

const BITS = 0x203fffff

async function open(path: string, genesis: GenesisState = GENESIS_STATE) {
  const { fixedRoots, genesisHash } = genesis.rules
  const database = await Database.open({ path, network: { network: GENESIS.network, genesisHash } })
  onTestFinished(() => database.close())
  const fatal: unknown[] = []
  const onFatal = (error: unknown): void => void fatal.push(error)
  const chain = await ChainStore.open({
    database,
    genesis,
    stateRootOf: (accumulators, staking, voting) => rootOfState(accumulators, staking, voting, fixedRoots),
    onFatal,
  })
  return { database, chain, fatal, mined: new MinedBlocks(database, chain, onFatal) }
}

/** Executed and sealed blocks on genesis; the first has a transaction. */
function mine(count: number, genesis = GENESIS_STATE): { executed: ExecutedBlock; sealed: SealedBlock }[] {
  const { block, stateRoot, state: first } = genesis
  const rules = { ...genesis.rules, verdicts: 'executed' as const }
  let parent: ParentBlock = { hash: block.hash, header: block.header, stateRoot, state: first }
  let name = block.hash as string as SealHash
  return Array.from({ length: count }, (_, i) => {
    const place = { sealHash: name, height: parent.header.height }
    const fields = {
      ...minedFields(place, rules.parameters.epochBlocks),
      timestamp: asUnixMs(BLOCK_TIME + i),
    }
    const { executed } = buildBlock(fields, i === 0 ? [numberedTransaction(1)] : [], parent, rules)
    const sealed = seal(executed.block, BITS)
    name = sealed.sealHash
    const { state } = parent
    parent = asParent(
      executed,
      StateOverlay.of(() => state, executed.changes),
    )
    return { executed, sealed }
  })
}

const settledAt = ({ sealed }: { sealed: SealedBlock }) => ({
  sealHash: sealed.sealHash,
  work: 2n ** 200n + 7n,
  trail: [
    { timestamp: GENESIS_STATE.block.header.timestamp, bits: null },
    { timestamp: sealed.block.header.timestamp, bits: BITS },
  ],
})

describe('mined blocks', () => {
  it('are found again by the next process: kept, settled, and what the chain goes on from', async () => {
    const path = join(temporaryDirectory(), 'db')
    const blocks = mine(3)
    const [one, two, three] = blocks as [(typeof blocks)[0], (typeof blocks)[0], (typeof blocks)[0]]
    const twin = sealBlock(one.sealed.block, { bits: BITS, nonce: one.sealed.seal.nonce + 1n })
    const first = await open(path)
    expect(first.mined.root()).toBeNull()
    for (const { sealed } of [three, one, two]) first.mined.keep(sealed)
    first.mined.keep(twin)
    first.mined.forget([twin])
    const answers = one.executed.changes.verdicts.map(() => figures(1))
    await first.mined.settle([{ ...one, answers }], settledAt(one), GENESIS_STATE.finality)
    await first.database.close()

    const { mined, chain, fatal } = await open(path)
    expect((await mined.kept()).map(({ sealHash }) => sealHash)).toEqual([
      two.sealed.sealHash,
      three.sealed.sealHash,
    ])
    expect(mined.root()).toEqual({ ...settledAt(one), block: one.sealed.block })
    expect(mined.settledBlock(one.sealed.sealHash)).toEqual(one.sealed)
    expect(mined.sealOf(asHeight(1))?.seal).toEqual(one.sealed.seal)
    expect(mined.settledBlock(two.sealed.sealHash)).toBeNull()
    expect(mined.sealOf(asHeight(0))).toBeNull()
    expect(chain.tip).toMatchObject({ height: 1, stateRoot: one.executed.stateRoot })
    expect(chain.state.accumulators.nullifiers.size).toBe(1)
    // Settled is not final: there is no certificate of it, and none is told.
    expect(chain.tip.finality).toEqual(GENESIS_STATE.finality)
    expect(chain.finality()).toEqual({ height: 0, certificate: null })
    expect(fatal).toEqual([])
  })

  it('settle over the ends of epochs, none of which is certified by it', async () => {
    const path = join(temporaryDirectory(), 'db')
    const parameters = { ...GENESIS.parameters, epochBlocks: 2 }
    const genesis = genesisState({ ...GENESIS, parameters }, PORTS)
    const blocks = mine(5, genesis)
    const last = blocks.at(-1) as (typeof blocks)[0]
    expect(blocks.map(({ executed }) => executed.block.header.epoch)).toEqual([0, 0, 1, 1, 2])
    const first = await open(path, genesis)
    const answered = blocks.map((block) => ({
      ...block,
      answers: block.executed.changes.verdicts.map(() => figures(1)),
    }))
    await first.mined.settle(answered, settledAt(last), genesis.finality)
    expect(first.chain.finality()).toEqual({ height: 0, certificate: null })
    await first.database.close()
    const { chain, mined } = await open(path, genesis)
    expect(chain.tip).toMatchObject({ height: 5, staking: { epoch: 2 } })
    expect(chain.finality()).toEqual({ height: 0, certificate: null })
    expect(mined.root()?.block.hash).toBe(last.sealed.block.hash)
  })

  it('are refused when the chain and its seals do not belong together', async () => {
    const path = join(temporaryDirectory(), 'db')
    const [one] = mine(1) as [ReturnType<typeof mine>[0]]
    const { mined, database } = await open(path)
    const answers = one.executed.changes.verdicts.map(() => figures(1))
    await mined.settle(
      [{ ...one, answers }],
      { ...settledAt(one), sealHash: 'ab'.repeat(32) as SealHash },
      GENESIS_STATE.finality,
    )
    expect(() => mined.root()).toThrow(expect.objectContaining({ code: 'E_DB_CORRUPT' }))
    await database.write([{ type: 'del', key: META.minedRoot }])
    expect(() => mined.root()).toThrow(expect.objectContaining({ code: 'E_DB_CORRUPT' }))
  })
})
