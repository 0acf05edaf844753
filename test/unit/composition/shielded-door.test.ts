/** The door of shielded transactions: cheap rules first, the proof beside the loop, bounds, and whose fault it is. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { ShieldedDoor } from '../../../src/composition/shielded-door.ts'
import { TransactionFlow } from '../../../src/composition/transaction-flow.ts'
import { Mempool } from '../../../src/mempool/mempool.ts'
import { asMonotonicMs } from '../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

type Shielded = HashedTransaction<ShieldedTransaction>
const hex = (number: number): never => number.toString(16).padStart(64, '0') as never

/** What is judged here is not the proof: it is whatever the test says of it. */
function shielded(number: number, proof = Uint8Array.of(1)): Shielded {
  return hashTransaction({
    kind: 'shielded',
    genesisHash: hex(1),
    anchor: hex(2),
    nullifiers: [hex(number), hex(number + 1_000_000)],
    commitments: [hex(3), hex(4)],
    fee: 1n,
    mint: null,
    burn: null,
    expiresAtHeight: 9 as never,
    ciphertexts: [new Uint8Array(1_141), new Uint8Array(1_141)],
    ciphertextsHash: hex(5),
    binding: hex(6),
    proof,
  })
}

function door() {
  const log: string[] = []
  const asked: { readonly proof: Uint8Array; answer(isRight: boolean | null): void }[] = []
  const clock = { now: 0 }
  const rules = { beforeProof: null as string | null, after: null as string | null }
  const refusal = (code: string | null) => (code === null ? null : { ok: false, code, detail: code })
  const pool = new Mempool(
    { countMax: 1_000, bytesMax: 1e8, countPerSourceMax: 1_000, bytesPerSourceMax: 1e8, timeToLiveMs: 1e6 },
    {
      now: () => asMonotonicMs(clock.now),
      isFinal: () => false,
      refusal: () => refusal(rules.after) as never,
      expired: () => {},
    },
  )
  const made = new ShieldedDoor({
    pool,
    refusalBeforeProof: () => refusal(rules.beforeProof) as never,
    verify: ({ proof }) =>
      new Promise((resolve) => {
        asked.push({ proof, answer: resolve })
      }),
    now: () => clock.now,
  })
  const flow = new TransactionFlow({
    pool,
    door: made,
    publish: (batch) => void log.push(`publish ${batch.length}`),
    workArrived: (keys) => void log.push(`work ${keys.length}`),
    rejected: (reason) => void log.push(`rejected ${reason}`),
  })
  /** Answers the oldest question that has no answer. */
  const answer = async (isRight: boolean | null): Promise<void> => {
    asked.shift()?.answer(isRight)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { made, flow, pool, log, asked, clock, rules, answer }
}

describe('from a client', () => {
  it('it is taken in, passed on and told of when its proof is right, and not before', async () => {
    const { flow, pool, log, answer } = door()
    const one = shielded(1)
    const outcome = flow.submit(one as HashedTransaction)
    expect(outcome).toBeInstanceOf(Promise)
    expect([pool.size, log]).toEqual([0, []])
    await answer(true)
    expect(await outcome).toEqual({ ok: true, value: 'added' })
    expect(log).toEqual(['publish 1', 'work 1'])
    expect(await flow.submit(one as HashedTransaction)).toEqual({ ok: true, value: 'known' })
    expect(log).toEqual(['publish 1', 'work 1'])
  })

  it('with a wrong proof it is refused; with no room for it, it may come again', async () => {
    const { flow, pool, log, answer } = door()
    const wrong = flow.submit(shielded(1) as HashedTransaction)
    await answer(false)
    expect(await wrong).toMatchObject({ ok: false, code: 'shielded-proof' })
    const busy = flow.submit(shielded(1) as HashedTransaction)
    await answer(null)
    expect(await busy).toMatchObject({ ok: false, code: 'proofs-busy' })
    expect([pool.size, log]).toEqual([0, ['rejected rules', 'rejected full']])
  })

  it('that breaks a cheap rule is refused without a look at its proof', async () => {
    const { flow, asked, rules } = door()
    rules.beforeProof = 'shielded-expired'
    expect(await flow.submit(shielded(1) as HashedTransaction)).toMatchObject({ code: 'shielded-expired' })
    expect(asked).toEqual([])
  })

  it('is judged once more when its proof is verified: the chain has gone on', async () => {
    const { flow, rules, answer } = door()
    const outcome = flow.submit(shielded(1) as HashedTransaction)
    rules.after = 'nullifier-spent'
    await answer(true)
    expect(await outcome).toMatchObject({ code: 'nullifier-spent' })
  })

  it('anything else is answered at once, whatever waits', () => {
    const { flow, log } = door()
    void flow.submit(shielded(1) as HashedTransaction)
    expect(flow.submit(numberedTransaction(1))).toEqual({ ok: true, value: 'added' })
    expect(log).toEqual(['publish 1', 'work 1'])
  })
})

describe('from gossip', () => {
  it('a batch without any is judged at once', () => {
    const { flow } = door()
    expect(flow.received([numberedTransaction(1).bytes], 'peer')).toBe('accept')
    expect(flow.received([Uint8Array.of(9)], 'peer')).toBe('reject')
  })

  it('the others of a batch do not wait for it', async () => {
    const { flow, log, answer } = door()
    const verdict = flow.received([shielded(1).bytes, numberedTransaction(1).bytes], 'peer')
    expect(log).toEqual(['work 1'])
    await answer(true)
    expect(await verdict).toBe('accept')
    expect(log).toEqual(['work 1', 'work 1'])
  })

  it.each([
    [true, 'accept'],
    [false, 'reject'],
    [null, 'ignore'],
  ] as const)('when its proof is found %s the message is told: %s', async (isRight, expected) => {
    const { flow, answer } = door()
    const verdict = flow.received([shielded(1).bytes], 'peer')
    await answer(isRight)
    expect(await verdict).toBe(expected)
  })

  it('a batch costs one wrong proof at the most', async () => {
    const { flow, asked, answer } = door()
    const verdict = flow.received(
      [1, 2, 3].map((i) => shielded(i).bytes),
      'peer',
    )
    await answer(false)
    expect(await verdict).toBe('reject')
    expect(asked).toEqual([])
  })

  it('one that is wrong spoils its batch even when others are new, and one that is known spoils nothing', async () => {
    const { flow, answer } = door()
    const spoilt = flow.received([numberedTransaction(1).bytes, shielded(1).bytes], 'peer')
    await answer(false)
    expect(await spoilt).toBe('reject')
    const first = flow.received([shielded(2).bytes], 'peer')
    await answer(true)
    expect(await first).toBe('accept')
    expect(await flow.received([shielded(2).bytes], 'other')).toBe('ignore')
  })

  it.each<[string, (scene: ReturnType<typeof door>) => Shielded]>([
    [
      'that is refused for the state alone',
      ({ rules }) => {
        rules.beforeProof = 'shielded-anchor'
        return shielded(1)
      },
    ],
    [
      'for which there is no room',
      ({ made }) => {
        for (let i = 0; i < 32; i++) void made.enter(shielded(100 + i), 'peer')
        return shielded(1)
      },
    ],
    [
      'whose note another one spends that waits',
      ({ pool }) => {
        pool.admit(shielded(1) as HashedTransaction, null)
        const { transaction } = shielded(1)
        return hashTransaction({ ...transaction, fee: 2n }) as Shielded
      },
    ],
    [
      'with another proof than the one that waits',
      ({ pool }) => {
        pool.admit(shielded(1) as HashedTransaction, null)
        return shielded(1, Uint8Array.of(2))
      },
    ],
  ])('what is new is passed on without one %s: another node may find it wrong', async (_, given) => {
    const scene = door()
    const open = given(scene)
    const { flow, log } = scene
    const asked = scene.asked.length
    expect(await flow.received([numberedTransaction(1).bytes, open.bytes], 'peer')).toBe('ignore')
    expect(scene.asked).toHaveLength(asked)
    expect(log).toContain('publish 1')
  })

  it('a batch of which one waits already, as it is, is passed on whole', async () => {
    const { flow, pool, log } = door()
    pool.admit(shielded(1) as HashedTransaction, null)
    expect(await flow.received([numberedTransaction(1).bytes, shielded(1).bytes], 'peer')).toBe('accept')
    expect(log).toEqual(['work 1'])
  })

  it('two with one key and different proofs are both verified: a wrong one keeps no right one out', async () => {
    const { flow, pool, answer } = door()
    const bad = flow.received([shielded(1, Uint8Array.of(0)).bytes], 'liar')
    const good = flow.received([shielded(1, Uint8Array.of(1)).bytes], 'honest')
    await answer(false)
    await answer(true)
    expect([await bad, await good, pool.size]).toEqual(['reject', 'accept', 1])
  })
})

describe('what waits', () => {
  it('is bounded for each peer, and a client is not kept out by peers', async () => {
    const { made, asked, answer } = door()
    const outcomes = Array.from({ length: 33 }, (_, i) => made.enter(shielded(i), 'peer'))
    expect(await outcomes[32]).toMatchObject({ code: 'proofs-busy' })
    void made.enter(shielded(100), 'other')
    void made.enter(shielded(101), null)
    // Four of the peer's, and the others' at once.
    expect(asked).toHaveLength(6)
    await answer(true)
    expect(asked).toHaveLength(6)
    void made.enter(shielded(102), 'peer')
    expect(await made.enter(shielded(103), 'peer')).toMatchObject({ code: 'proofs-busy' })
  })

  it('is bounded in all', async () => {
    const { made, asked } = door()
    for (let peer = 0; peer < 4; peer++) {
      for (let i = 0; i < 32; i++) void made.enter(shielded(100 * peer + i), `peer ${peer}`)
    }
    expect(await made.enter(shielded(999), 'late')).toMatchObject({ code: 'proofs-busy' })
    expect(asked).toHaveLength(16)
  })
})

describe('a peer that sends wrong proofs', () => {
  it('is not listened to for a while, and the others are', async () => {
    const { made, asked, clock, answer } = door()
    const send = async (number: number, from: string): Promise<unknown> => {
      const outcome = made.enter(shielded(number), from)
      await answer(false)
      return outcome
    }
    for (let i = 0; i < 12; i++) expect(await send(i, 'liar')).toMatchObject({ code: 'shielded-proof' })
    expect(await made.enter(shielded(50), 'liar')).toMatchObject({ code: 'proofs-busy' })
    expect(asked).toEqual([])
    expect(await send(51, 'other')).toMatchObject({ code: 'shielded-proof' })
    clock.now = 60_000
    expect(await send(52, 'liar')).toMatchObject({ code: 'shielded-proof' })
  })

  it('has no more of them verified, though they wait already', async () => {
    const { made, asked, answer } = door()
    const outcomes = Array.from({ length: 32 }, (_, i) => made.enter(shielded(i), 'liar'))
    let verified = 0
    for (; asked.length > 0; verified++) await answer(false)
    // Twelve, and those that were with the workers when the twelfth came back.
    expect(verified).toBe(15)
    const codes = (await Promise.all(outcomes)).map((outcome) => (outcome.ok ? 'taken' : outcome.code))
    expect(codes.filter((code) => code === 'shielded-proof')).toHaveLength(15)
    expect(codes.filter((code) => code === 'proofs-busy')).toHaveLength(17)
  })
})
