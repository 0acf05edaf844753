/** The small parts of the shell: the barrier, the driver, timers, execution on branches, measured figures. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ConsensusEffect } from '../../../src/consensus/effect.ts'
import type { ConsensusInput } from '../../../src/consensus/input.ts'
import type { Replica } from '../../../src/consensus/replica.ts'
import type { ExecutedBlock } from '../../../src/ledger/executed-block.ts'
import { AnswerFigureMeter } from '../../../src/runtime/answer-figures.ts'
import { BlockExecutor } from '../../../src/runtime/block-executor.ts'
import { DurableOutbox } from '../../../src/runtime/durable-outbox.ts'
import { ReplicaDriver } from '../../../src/runtime/replica-driver.ts'
import { Timers } from '../../../src/runtime/timers.ts'
import { InvariantViolation } from '../../../src/types/assert.ts'
import { asMonotonicMs, asUnixMs, asView, type RequestKey } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { MemoryLog } from '../../support/consensus-nodes.ts'
import { FinalChain, GENESIS_PARENT, GENESIS_STATE } from '../../support/final-chain.ts'
import { LiveState } from '../../support/live-state.ts'
import { BLOCK_TIME, EMPTY_STATE, EXECUTED_RULES, numberedTransaction, proposed } from '../ledger/fixtures.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const bytes = (n: number): Uint8Array => Uint8Array.of(n)

describe('the durable outbox (S0)', () => {
  it('lets out at once what depends on nothing, and in order what waits for a record', async () => {
    const log = new MemoryLog()
    const said: string[] = []
    const outbox = new DurableOutbox(log, (error) => said.push(`fatal ${error}`))
    outbox.afterDurable(() => said.push('a'))
    expect(said).toEqual(['a'])
    log.isHeld = true
    outbox.append(bytes(1))
    outbox.afterDurable(() => said.push('b'))
    outbox.flush()
    outbox.append(bytes(2))
    outbox.afterDurable(() => said.push('c'))
    outbox.flush()
    await turn()
    expect(said).toEqual(['a'])
    log.release()
    await turn()
    await turn()
    expect(said).toEqual(['a', 'b', 'c'])
  })

  it('lets nothing past a record that came while another was being written', async () => {
    const log = new MemoryLog()
    log.isHeld = true
    const said: string[] = []
    const outbox = new DurableOutbox(log, () => {})
    outbox.append(bytes(1))
    outbox.flush()
    outbox.append(bytes(2))
    outbox.afterDurable(() => said.push('after both'))
    log.release()
    log.isHeld = true
    await turn()
    expect(log.durable).toBe(1)
    expect(said).toEqual([])
    log.release()
    await turn()
    expect(said).toEqual(['after both'])
  })

  it('writes all records of a turn at once', async () => {
    const log = new MemoryLog()
    const flush = vi.spyOn(log, 'flush')
    const outbox = new DurableOutbox(log, () => {})
    for (const n of [1, 2, 3]) outbox.append(bytes(n))
    outbox.flush()
    outbox.flush()
    await turn()
    outbox.flush()
    expect([flush.mock.calls.length, log.durable]).toEqual([1, 3])
  })

  it('lets nothing out after a failure, and tells of it once', async () => {
    const log = new MemoryLog()
    log.failure = new Error('disk full')
    const fatal: unknown[] = []
    const said: string[] = []
    const outbox = new DurableOutbox(log, (error) => fatal.push(error))
    outbox.append(bytes(1))
    outbox.afterDurable(() => said.push('never'))
    outbox.flush()
    await turn()
    log.failure = null
    outbox.append(bytes(2))
    outbox.afterDurable(() => said.push('neither'))
    outbox.flush()
    await turn()
    expect([fatal.length, said]).toEqual([1, []])
  })
})

describe('the driver', () => {
  const clock = { monotonicMs: () => asMonotonicMs(1), unixMs: () => asUnixMs(2) }
  const input = (view: number): ConsensusInput => ({
    kind: 'timer-expired',
    timer: 'view',
    view: asView(view),
  })
  const viewOf = (taken: ConsensusInput): number => (taken.kind === 'timer-expired' ? taken.view : -1)
  const cancel: ConsensusEffect = { kind: 'cancel-timer', timer: 'view' }

  function driver(
    step: (view: number) => number,
    perform: (n: number) => ConsensusInput | null = () => null,
  ): { driver: ReplicaDriver; log: string[] } {
    const log: string[] = []
    let performed = 0
    const replica = {
      step: (taken: ConsensusInput) => {
        log.push(`step ${viewOf(taken)}`)
        return { effects: Array<ConsensusEffect>(step(viewOf(taken))).fill(cancel), events: [] }
      },
    } as unknown as Replica
    const made: ReplicaDriver = new ReplicaDriver(replica, clock, {
      perform: () => {
        log.push('perform')
        return perform(performed++)
      },
      turnEnded: () => void log.push('turn ended'),
      observe: () => {},
      onFatal: (error) => void log.push(`fatal ${(error as Error).message}`),
    })
    return { driver: made, log }
  }

  it('takes answers that are there at once before inputs that wait, in order', () => {
    const { driver: made, log } = driver(
      (view) => (view === 1 ? 2 : 0),
      (n) => {
        if (n === 0) made.input(input(9))
        return input(2 + n)
      },
    )
    made.input(input(1))
    expect(log).toEqual(['step 1', 'perform', 'perform', 'step 2', 'step 3', 'step 9', 'turn ended'])
  })

  it('stops for good at a broken invariant, with the last inputs for a person', () => {
    const dumps: unknown[] = []
    const replica = {
      step: () => {
        throw new InvariantViolation('two and two are five')
      },
    } as unknown as Replica
    const made = new ReplicaDriver(replica, clock, {
      perform: () => null,
      turnEnded: () => {},
      observe: () => {},
      onFatal: (error) => void dumps.push((error as { dump?: unknown }).dump),
    })
    expect(() => made.input(input(7))).not.toThrow()
    made.input(input(8))
    expect(dumps).toEqual([{ lastInputs: ['timer view of view 7'] }])
  })

  it('takes nothing after it was stopped', () => {
    const { driver: made, log } = driver(() => 0)
    made.stop()
    made.input(input(1))
    expect(log).toEqual([])
  })
})

describe('timers', () => {
  afterEach(() => void vi.useRealTimers())

  it('fire once, for the view they were set for; one that was replaced or cancelled never does', () => {
    vi.useFakeTimers()
    const fired: string[] = []
    const timers = new Timers((timer, view) => fired.push(`${timer} ${view}`))
    timers.set('view', asView(1), 10)
    timers.set('view', asView(2), 20.5)
    timers.set('propose', asView(2), 5)
    timers.set('fetch', asView(2), 5)
    timers.cancel('propose')
    vi.advanceTimersByTime(20)
    expect(fired).toEqual(['fetch 2'])
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['fetch 2', 'view 2'])
    timers.set('view', asView(3), 1)
    timers.stop()
    vi.advanceTimersByTime(1_000)
    expect(fired).toHaveLength(2)
  })
})

describe('the executor', () => {
  const { block: genesis, stateRoot, rules } = GENESIS_STATE

  function executor(waiting: readonly HashedTransaction[] = []) {
    const removed: RequestKey[] = []
    const finalState = new LiveState(EMPTY_STATE)
    const made = new BlockExecutor({
      rules,
      final: { hash: genesis.hash, stateRoot },
      finalState,
      pool: {
        select: ({ exclude }) => waiting.filter((transaction) => !exclude(transaction)),
        remove: (transactions) => removed.push(...[...transactions].map(({ requestKey }) => requestKey)),
      },
      stopwatch: () => performance.now(),
    })
    /** As storage does: what is committed is the final state. */
    const committed = (executed: ExecutedBlock): void => {
      finalState.written(executed.changes)
      made.committed(executed)
    }
    return { made, removed, committed }
  }
  const fields = { ...proposed(GENESIS_PARENT), timestamp: BLOCK_TIME }

  it('builds nothing from nothing, unless a block may be empty', () => {
    const { made } = executor()
    expect(made.build(fields, genesis, false)).toBe(null)
    expect(made.build(fields, genesis, true)?.block.transactions).toEqual([])
  })

  it('leaves out what is on the branch already, and builds that on another branch', () => {
    const transaction = numberedTransaction(1)
    const { made } = executor([transaction])
    const first = made.build(fields, genesis, false)
    if (first === null) throw new Error('a block')
    const on = { ...fields, view: asView(2), justify: { view: asView(1), blockHash: first.block.hash } }
    // There is nothing to order, but a verdict to wait for, and its windows are heights.
    expect(made.build(on, first.block, false)?.block.transactions).toEqual([])
    const rival = made.build({ ...fields, view: asView(3) }, genesis, false)
    expect(rival?.block.transactions).toEqual([transaction])
    expect(rival?.stateRoot).toBe(first.stateRoot)
  })

  it('checks a block of another node on its branch, each once, and says which rule is broken', () => {
    const builder = executor([numberedTransaction(1)]).made
    const built = builder.build(fields, genesis, false)
    if (built === null) throw new Error('a block')
    const { made } = executor()
    const checked = made.check(built.block, genesis)
    expect(checked).toMatchObject({ ok: true, value: { stateRoot: built.stateRoot } })
    expect(made.check(built.block, genesis)).toEqual(checked)
    const late = { ...built.block, header: { ...built.block.header, timestamp: asUnixMs(0) } }
    expect(made.check({ ...late, hash: 'aa'.repeat(32) as never }, genesis)).toMatchObject({
      ok: false,
      code: 'timestamp',
    })
  })

  it('gives executed blocks to be written, drops the branches beside them, and moves on', () => {
    const { made, committed } = executor()
    const one = made.build(fields, genesis, true)
    const rival = made.build({ ...fields, view: asView(2) }, genesis, true)
    if (one === null || rival === null) throw new Error('blocks')
    expect(made.take(one.block.hash).executed).toBe(one)
    expect(made.take(one.block.hash).executionMs).toBeGreaterThanOrEqual(0)
    committed(one)
    expect(() => made.take(rival.block.hash)).toThrow('finalized before it is executed')
    const next = { ...fields, view: asView(3), justify: { view: asView(1), blockHash: one.block.hash } }
    expect(made.build(next, one.block, true)?.block.header.parentStateRoot).toBe(one.stateRoot)
    expect(() => made.build(next, rival.block, true)).toThrow('no executed state')
  })
})

describe('the figures of an answer', () => {
  it('are those of this node’s own measuring', () => {
    const meter = new AnswerFigureMeter(1_000_000)
    const transactions = [numberedTransaction(1), numberedTransaction(2)]
    const { made } = {
      made: new BlockExecutor({
        rules: EXECUTED_RULES,
        final: { hash: GENESIS_STATE.block.hash, stateRoot: GENESIS_STATE.stateRoot },
        finalState: EMPTY_STATE,
        pool: { select: () => transactions, remove: () => {} },
        stopwatch: () => 0,
      }),
    }
    const executed = made.build(
      { ...proposed(GENESIS_PARENT), timestamp: BLOCK_TIME },
      GENESIS_STATE.block,
      false,
    )
    if (executed === null) throw new Error('a block')
    const [first] = transactions as [HashedTransaction]
    meter.arrived(first.requestKey, asMonotonicMs(100))
    meter.arrived(first.requestKey, asMonotonicMs(190))
    meter.transferred(700)
    meter.transferred(300)
    const execution = { executed, executionMs: 4 }
    const answers = meter.measure(execution, asMonotonicMs(250.4))
    expect(answers[0]).toEqual({
      validationTimeUs: 2_000n,
      consensusLatencyMs: 150n,
      throughputPerSecond: 0.2,
      networkOverheadBytes: 500n,
      networkLoad: executed.block.bytes.length / 1_000_000,
    })
    // It did not come to this node.
    expect(answers[1]?.consensusLatencyMs).toBe(0n)

    const later = meter.measure(execution, asMonotonicMs(20_000))
    expect(later[0]).toMatchObject({
      throughputPerSecond: 0.2,
      networkOverheadBytes: 0n,
      consensusLatencyMs: 0n,
    })
  })

  it('have the time of judging in the block that ordered the request, not in that of the verdict', () => {
    const meter = new AnswerFigureMeter(1_000_000)
    const chain = new FinalChain(GENESIS_PARENT, 'tallied')
    const blocks = [chain.next([numberedTransaction(1), numberedTransaction(2)]), ...chain.empty(2)]
    const measured = blocks.map((executed, i) =>
      meter.measure({ executed, executionMs: i === 0 ? 10 : 70 }, asMonotonicMs(1)),
    )
    expect(measured.map((answers) => answers.map(({ validationTimeUs }) => validationTimeUs))).toEqual([
      [],
      [],
      [5_000n, 5_000n],
    ])
    // A node that was started in between has judged nothing.
    const restarted = new AnswerFigureMeter(1_000_000)
    const [answer] = blocks
      .slice(1)
      .flatMap((executed) => restarted.measure({ executed, executionMs: 70 }, asMonotonicMs(1)))
    expect(answer?.validationTimeUs).toBe(0n)
  })

  it('are none for a block without verdicts', () => {
    const meter = new AnswerFigureMeter(1_000)
    const empty = {
      executed: {
        block: GENESIS_STATE.block,
        changes: GENESIS_STATE.changes,
        stateRoot: GENESIS_STATE.stateRoot,
      },
      executionMs: 1,
    }
    expect(meter.measure(empty, asMonotonicMs(1))).toEqual([])
  })
})
