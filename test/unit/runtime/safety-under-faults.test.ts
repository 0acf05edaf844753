/**
 * A validator whose disk fails at every call in turn, and that is then tempted with another content for the same view:
 * over both lives no slot has two contents, and nothing is said after the end of the first.
 */
import { describe, expect, it } from 'vitest'
import { accountId } from '../../../src/codec/genesis.ts'
import { decodeMessage } from '../../../src/codec/messages.ts'
import { stakingSigningPayload } from '../../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { payloadOf, type RecordedMessage } from '../../../src/composition/safety-slots.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { payloadDigest } from '../../../src/crypto/signer.ts'
import { SafetyLog } from '../../../src/storage/safety-log.ts'
import { StorageError } from '../../../src/storage/storage-error.ts'
import { NO_BALLOTS } from '../../../src/types/ballots.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import { type Proposal, type Vote, voteOfProposal } from '../../../src/types/messages.ts'
import { asEpoch, asHeight, asValidatorIndex } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { type Fault, FaultFileSystem, type Survival } from '../../support/fault-fs.ts'
import { blockOnGenesis, type Life, live, logOptions } from '../../support/faulty-validator.ts'
import { keyOf, NETWORK } from '../../support/safety-fixtures.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const LEADER = 1
const FAULTS: readonly Fault[] = ['crash-before', 'crash-after', 'torn', 'fail', 'short']
const ENDINGS: readonly (Survival | 'process end')[] = ['none', 'all', 'some', 'process end']
/** Two contents for view 1: a request, for commits in the votes, and a transfer, which somebody waits for. */
const WORK = [
  [numberedTransaction(1), transferBy(2)],
  [numberedTransaction(2), transferBy(3)],
] as const
const BLOCKS = WORK.map((transactions) => blockOnGenesis(LEADER, transactions)) as [HashedBlock, HashedBlock]

function transferBy(index: number): HashedTransaction {
  const key = keyOf(index)
  const content = {
    publicKey: key.publicKey.raw,
    sequence: 1,
    expiresAtHeight: asHeight(100),
    operation: { kind: 'transfer', to: accountId(keyOf(0).publicKey.raw), amount: 1n },
  } as const
  const signature = key.sign(stakingSigningPayload(NETWORK, content), SIGNATURE_CONTEXTS.staking)
  return hashTransaction({ kind: 'staking', ...content, signature })
}

function by<T extends RecordedMessage>(index: number, message: T): T {
  const signature = keyOf(index).sign(payloadOf(NETWORK, message), SIGNATURE_CONTEXTS[message.kind])
  return { ...message, signature: new Uint8Array(signature) }
}

function proposalOf(block: HashedBlock): Proposal {
  const proposal: Proposal = {
    kind: 'proposal',
    block,
    timeoutCertificate: null,
    ballotVotes: [],
    signature: new Uint8Array(3_309),
    commits: [],
  }
  return { ...proposal, signature: by(LEADER, voteOfProposal(proposal)).signature }
}

function voteBy(index: number, kind: Vote['kind'], { header, hash }: HashedBlock): Vote {
  const { view, height } = header
  return by(index, {
    kind,
    epoch: asEpoch(0),
    view,
    height,
    blockHash: hash,
    voter: asValidatorIndex(index),
    signature: new Uint8Array(3_309),
    ballots: NO_BALLOTS,
  })
}

/** What the others can make it sign for one content of view 1: all that leads to a pre-commit. */
const PROPOSALS = BLOCKS.map(proposalOf)
const VOTES = BLOCKS.map((block) => [0, 1, 2, 3].map((index) => voteBy(index, 'prepare', block)))

async function tempt(life: Life, self: number, content: 0 | 1): Promise<void> {
  if (self !== LEADER) life.hear(LEADER, PROPOSALS[content] as Proposal)
  await life.settled()
  for (const other of [0, 1, 2, 3].filter((index) => index !== self)) {
    life.hear(other, VOTES[content]?.[other] as Vote)
  }
  await life.settled()
}

/** Signed slots in what was said by `self`, each with its contents. */
function slotsOf(self: number, said: readonly Uint8Array[]): Map<string, Set<string>> {
  const slots = new Map<string, Set<string>>()
  for (const bytes of said) {
    const message = decodeMessage(bytes)
    if (!message.ok) throw new Error(message.detail)
    // A proposal fills the slot of its prepare vote.
    const value = message.value.kind === 'proposal' ? voteOfProposal(message.value) : message.value
    const { kind } = value
    if (kind === 'certificates' || kind === 'certificate-request' || kind === 'openings' || kind === 'commit')
      continue
    const payload = payloadOf(NETWORK, value)
    expect(keyOf(self).publicKey.verify(payload, value.signature, SIGNATURE_CONTEXTS[value.kind])).toBe(true)
    const slot = `${value.kind} ${value.view}`
    const digest = Buffer.from(payloadDigest(payload)).toString('hex')
    slots.set(slot, (slots.get(slot) ?? new Set()).add(digest))
  }
  return slots
}

async function newDisk(self: number, ...fault: ConstructorParameters<typeof FaultFileSystem>) {
  const disk = new FaultFileSystem(...fault)
  await (await SafetyLog.create(logOptions(self, disk))).close()
  return disk
}

async function firstLife(self: number, disk: FaultFileSystem): Promise<Life | StorageError> {
  const life = await live(self, disk, self === LEADER ? WORK[0] : []).catch((error: unknown) => error)
  if (life instanceof StorageError) return life
  await tempt(life as Life, self, 0)
  return life as Life
}

describe.each([
  ['a voter', 0],
  ['the leader', LEADER],
])('%s', (_, self) => {
  it('signs its way to a pre-commit on a healthy disk, and again only the same after a restart', async () => {
    const disk = await newDisk(self)
    const life = (await firstLife(self, disk)) as Life
    expect(life.fatal).toEqual([])
    expect(BLOCKS.map(({ transactions }) => transactions.length)).toEqual([2, 2])
    const { said } = life
    expect([...slotsOf(self, said).keys()].sort()).toEqual(['pre-commit 1', 'prepare 1'])
    await life.end()
    const again = await live(self, disk.afterPowerCut('none'), self === LEADER ? WORK[1] : [])
    await tempt(again, self, 1)
    expect(again.said.length).toBeGreaterThan(0)
    for (const [slot, contents] of slotsOf(self, [...said, ...again.said]))
      expect(contents.size, slot).toBe(1)
    await again.end()
  })

  for (const fault of FAULTS) {
    it(`never signs twice, and says nothing after its end: ${fault} at every call`, {
      timeout: 120_000,
    }, async () => {
      const healthy = await newDisk(self)
      const before = healthy.calls.length
      const whole = (await firstLife(self, healthy)) as Life
      await whole.end()
      expect(healthy.calls.length - before).toBeGreaterThan(8)
      let faults = 0
      let signedOther = 0
      for (let at = before; at < healthy.calls.length; at++) {
        for (const ending of ENDINGS) {
          const what = `${healthy.calls[at]} ${at}, ${fault}, ${ending}`
          const disk = await newDisk(self, at, fault, seededRandom(at))
          const first = await firstLife(self, disk)
          const said = first instanceof StorageError ? [] : first.said
          if (first instanceof StorageError) expect(first.code, what).toMatch(/^E_SAFETY_/)
          else {
            await first.end()
            if (fault === 'short') expect(first.fatal, what).toEqual([])
            // Fail-stop: told once, by name, with what to do; and not a word after it.
            for (const error of first.fatal) {
              expect(error, what).toMatchObject({ code: 'E_SAFETY_WRITE', exitCode: 73 })
              expect((error as StorageError).advice.fix, what).toContain('check the disk')
            }
            if (first.saidAtEnd() !== null) expect(said.length, what).toBe(first.saidAtEnd())
          }
          const next = ending === 'process end' ? disk.afterProcessEnd() : disk.afterPowerCut(ending)
          const second = await live(self, next, self === LEADER ? WORK[1] : [])
          await tempt(second, self, 1)
          expect(second.fatal, what).toEqual([])
          await second.end()
          const slots = slotsOf(self, [...said, ...second.said])
          for (const [slot, contents] of slots) expect(contents.size, `${what}: ${slot}`).toBe(1)
          if (second.said.some((bytes) => saysSecond(bytes))) signedOther++
          if (disk.hasFaulted) faults++
        }
      }
      expect(faults).toBeGreaterThan(20)
      // The temptation is real: where nothing had been signed before the end, the other content is.
      if (fault !== 'short') expect(signedOther).toBeGreaterThan(0)
    })
  }
})

function saysSecond(bytes: Uint8Array): boolean {
  const message = decodeMessage(bytes)
  if (!message.ok) return false
  const vote = message.value.kind === 'proposal' ? voteOfProposal(message.value) : message.value
  return vote.kind === 'prepare' && vote.blockHash === BLOCKS[1].hash
}
