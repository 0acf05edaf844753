/** Blocks with shielded transactions, as one validator makes them and another checks them: threads, cache and ledger together. */
import { afterAll, describe, expect, it, vi } from 'vitest'
import { decodeBlock } from '../../../src/codec/block.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import type { ConsensusInput } from '../../../src/consensus/input.ts'
import type { GenesisState } from '../../../src/ledger/genesis-state.ts'
import { verifyShieldedProof } from '../../../src/ledger/shielded/statement.ts'
import { BlockProofs } from '../../../src/proofs/block-proofs.ts'
import { ProofVerdicts } from '../../../src/proofs/proof-verdicts.ts'
import { ProofWorkers } from '../../../src/proofs/proof-workers.ts'
import { BlockExecutor } from '../../../src/runtime/block-executor.ts'
import { EffectHandler, type EffectHandlerOptions } from '../../../src/runtime/effect-handler.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { GenesisNotes } from '../../support/shielded/genesis-notes.ts'
import { withWrongProof } from '../../support/shielded/shielded-transaction.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const notes = new GenesisNotes(2)
const GENESIS = notes.state(verifyShieldedProof)
const [ONE, TWO] = [notes.spend(GENESIS, 0), notes.spend(GENESIS, 1)]
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function executorOn(
  { rules, block, stateRoot, state }: GenesisState,
  pool: readonly HashedTransaction[] = [],
) {
  return new BlockExecutor({
    rules,
    final: { hash: block.hash, stateRoot },
    finalState: state,
    pool: { select: () => pool, remove: () => {} },
    stopwatch: () => 0,
  })
}

/** A block as its bytes come from a proposer that takes every proof for right. */
function proposed(...transactions: HashedTransaction[]): HashedBlock {
  const careless = notes.state(() => true)
  const { header, hash } = careless.block
  const fields = {
    epoch: header.epoch,
    view: (header.view + 1) as typeof header.view,
    justify: { view: header.view, blockHash: hash },
    timestamp: header.timestamp,
    proposer: header.proposer,
  }
  const built = executorOn(careless, transactions).build(fields, careless.block, true)
  if (built?.block.transactions.length !== transactions.length) throw new Error('a block with all of them')
  const read = decodeBlock(built.block.bytes)
  if (!read.ok) throw new Error(read.detail)
  return read.value
}

const running: ProofWorkers[] = []
afterAll(() => Promise.all(running.map((workers) => workers.stop())))

/** A validator that has seen nothing yet. */
function validator() {
  const log: string[] = []
  const inputs: ConsensusInput[] = []
  const verdicts = new ProofVerdicts((place, isRight) => void log.push(`${place} ${isRight}`))
  const workers = new ProofWorkers({ verdicts, logger: silent })
  running.push(workers)
  const genesis = notes.state(verdicts.verify)
  const handler = new EffectHandler({
    executor: executorOn(genesis),
    proofs: new BlockProofs(verdicts, workers),
    input: (input: ConsensusInput) => void inputs.push(input),
    onFatal: (error: unknown) => expect.unreachable(String(error)),
    logger: silent,
  } as unknown as EffectHandlerOptions)
  /** What consensus is told of the block, and whether it was told at once. */
  const check = async (block: HashedBlock) => {
    const told = handler.perform({ kind: 'check-block', block, parent: genesis.block })
    if (told !== null) return { told, isAtOnce: true }
    await vi.waitFor(() => expect(inputs).not.toEqual([]), { timeout: 20_000, interval: 2 })
    return { told: inputs.shift(), isAtOnce: false }
  }
  return { check, log, verdicts, workers }
}

const VALID = { kind: 'block-checked', outcome: { ok: true } }

describe('a block', () => {
  it('of proofs that the validator has not seen is checked when the threads have verified them', async () => {
    const { check, log } = validator()
    expect(await check(proposed(ONE, TWO))).toMatchObject({ told: VALID, isAtOnce: false })
    expect(log).toEqual(['worker true', 'worker true', 'cache true', 'cache true'])
  })

  it('of proofs that it has seen at the door is checked at once', async () => {
    const { check, log, workers } = validator()
    await Promise.all([ONE, TWO].map(({ transaction }) => workers.verify(transaction, 'pool')))
    expect(await check(proposed(ONE, TWO))).toMatchObject({ told: VALID, isAtOnce: true })
    expect(log).toEqual(['worker true', 'worker true', 'cache true', 'cache true'])
  })

  it('without any is checked at once', async () => {
    const { check, log } = validator()
    expect(await check(proposed(numberedTransaction(1)))).toMatchObject({ told: VALID, isAtOnce: true })
    expect(log).toEqual([])
  })

  it('with a proof that is wrong is refused, and nothing of it is verified on the main thread', async () => {
    const { check, log } = validator()
    const wrong = hashTransaction(withWrongProof(TWO.transaction))
    expect(await check(proposed(ONE, wrong))).toMatchObject({
      told: { kind: 'block-checked', outcome: { ok: false, code: 'shielded-proof' } },
      isAtOnce: false,
    })
    expect(log.toSorted()).toEqual(['cache false', 'cache true', 'worker false', 'worker true'])
  })

  it('whose proofs no thread will verify any more is checked all the same, and refused for the same reason', async () => {
    const { check, log, workers } = validator()
    await workers.stop()
    expect(await check(proposed(ONE))).toMatchObject({ told: VALID, isAtOnce: false })
    const wrong = hashTransaction(withWrongProof(TWO.transaction))
    expect(await check(proposed(wrong))).toMatchObject({ told: { outcome: { code: 'shielded-proof' } } })
    expect(log).toEqual(['inline true', 'inline false'])
  })
})
