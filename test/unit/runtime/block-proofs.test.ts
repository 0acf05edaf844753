/** Blocks whose proofs are verified beside the loop: executed when the verdicts are there, and only if they still matter. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ConsensusInput } from '../../../src/consensus/input.ts'
import { EffectHandler, type EffectHandlerOptions } from '../../../src/runtime/effect-handler.ts'
import { MemoryNetwork } from '../../support/consensus-nodes.ts'
import { blockOn, GENESIS } from '../consensus/harness.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const B1 = blockOn(GENESIS, 1)
const CHECK = { kind: 'check-block', block: B1, parent: GENESIS } as const
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** An effect handler whose executor refuses every block, or fails. */
function handler(
  proofs: EffectHandlerOptions['proofs'],
  { hasState = true, check = (): unknown => ({ ok: false, code: 'timestamp', detail: 'late' }) } = {},
) {
  const inputs: ConsensusInput[] = []
  const fatal: unknown[] = []
  const silent = () => undefined
  const made = new EffectHandler({
    proofs,
    executor: { hasStateOf: () => hasState, check },
    input: (input: ConsensusInput) => void inputs.push(input),
    onFatal: (error: unknown) => void fatal.push(error),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  } as unknown as EffectHandlerOptions)
  return { made, inputs, fatal }
}
const CHECKED = { kind: 'block-checked', blockHash: B1.hash, outcome: { ok: false, code: 'timestamp' } }

describe('the check of a block', () => {
  it.each([
    ['no proofs are verified elsewhere', undefined],
    ['it has none to wait for', { prepare: () => null }],
  ])('is answered at once when %s', (_, proofs) => {
    expect(handler(proofs).made.perform(CHECK)).toEqual(CHECKED)
  })

  it('is answered later when there are proofs to wait for', async () => {
    const proofs = Promise.withResolvers<void>()
    const { made, inputs } = handler({ prepare: () => proofs.promise })
    expect(made.perform(CHECK)).toBe(null)
    await turn()
    expect(inputs).toEqual([])
    proofs.resolve()
    await turn()
    expect(inputs).toEqual([CHECKED])
  })

  it('comes to nothing when the parent has gone meanwhile', async () => {
    const { made, inputs, fatal } = handler({ prepare: () => Promise.resolve() }, { hasState: false })
    expect(made.perform(CHECK)).toBe(null)
    await turn()
    expect([inputs, fatal]).toEqual([[], []])
  })

  it('comes to nothing when the node has stopped meanwhile', async () => {
    const { made, inputs, fatal } = handler({ prepare: () => Promise.resolve() })
    expect(made.perform(CHECK)).toBe(null)
    made.stop()
    await turn()
    expect([inputs, fatal]).toEqual([[], []])
  })

  it('that breaks an invariant ends the process', async () => {
    const check = () => {
      throw new Error('invariant')
    }
    const { made, fatal } = handler({ prepare: () => Promise.resolve() }, { check })
    made.perform(CHECK)
    await turn()
    expect(fatal).toEqual([new Error('invariant')])
  })
})

describe('a network whose blocks all wait for proofs', () => {
  const waiting = { timeout: 20_000, interval: 5 }
  let network: MemoryNetwork
  afterEach(() => network.stop())

  it('orders requests and gives verdicts as any other', async () => {
    let waits = 0
    network = new MemoryNetwork(4, 1, {
      prepare: () => new Promise((resolve) => setTimeout(resolve, waits++ % 7)),
    })
    network.start()
    for (let i = 1; i <= 5; i++) for (const node of network.nodes) node.offer(numberedTransaction(i))
    await vi.waitFor(() => {
      for (const { chain, id } of network.nodes) {
        const verdicts = chain.flatMap(({ changes }) => changes.verdicts)
        if (id !== null) expect(verdicts).toHaveLength(5)
      }
    }, waiting)
    expect(waits).toBeGreaterThan(0)
    expect(network.nodes.flatMap(({ fatal }) => fatal)).toEqual([])
    const [one, ...others] = network.nodes.map(({ chain }) => chain.map(({ block }) => block.hash))
    for (const other of others.slice(0, 3)) {
      const common = Math.min(one?.length ?? 0, other.length)
      expect(other.slice(0, common)).toEqual(one?.slice(0, common))
    }
  })
})
