/** Roles and recovery (spec/commit-reveal.md 5.8 and 6.2; T25, T26). */
import { describe, expect, it } from 'vitest'
import { genesisHash } from '../../../../src/codec/genesis.ts'
import {
  forkProofJson,
  parseForkProofJson,
  parseRestartJson,
  parseSeedCheckpointJson,
  restartJson,
  restartSigningPayload,
  seedCheckpointJson,
} from '../../../../src/codec/recovery.ts'
import { SIGNATURE_CONTEXTS } from '../../../../src/crypto/contexts.ts'
import { genesisState } from '../../../../src/ledger/genesis-state.ts'
import { checkForkProof } from '../../../../src/ledger/recovery/fork-proof.ts'
import { checkRestart, restartGenesis } from '../../../../src/ledger/recovery/restart.ts'
import { checkSeedCheckpoint, newestCheckpoint } from '../../../../src/ledger/recovery/seed-checkpoint.ts'
import { checkEvidence } from '../../../../src/ledger/staking/check-evidence.ts'
import { asEpoch, asHeight, asUnixMs, asView, type GenesisHash } from '../../../../src/types/primitives.ts'
import type { RestartDecision, SignedCheckpoint } from '../../../../src/types/recovery.ts'
import {
  BROKEN_GENESIS,
  COMPROMISED,
  certificateBy,
  checkpointOf,
  epochEnd,
  fork,
  NETWORK,
  SEVEN,
  signedBy,
} from '../../../support/broken-network.ts'
import { BALANCE, idOf, keyOf, publicKeyOf, STAKE } from '../../../support/staking-chain.ts'
import { PORTS } from '../fixtures.ts'

const { verifySignature } = PORTS
const END = epochEnd(1)
const CHECKPOINT = checkpointOf(END)
const codeOf = (checkpoint: SignedCheckpoint, network: GenesisHash = NETWORK) => {
  const checked = checkSeedCheckpoint(checkpoint, network, verifySignature)
  return checked.ok ? 'holds' : checked.code
}

describe('a seed checkpoint', () => {
  it('says which block was final, by whom, and in which state', () => {
    expect(checkSeedCheckpoint(CHECKPOINT, NETWORK, verifySignature)).toEqual({
      ok: true,
      value: {
        height: 4,
        blockHash: END.parent.hash,
        quorum: { voters: 5, signedStake: 5n * STAKE, totalStake: 7n * STAKE },
      },
    })
  })

  it('holds only as a whole', () => {
    const { header, certificate, stateRoot } = CHECKPOINT
    const again = (change: Partial<SignedCheckpoint>, by = 5) =>
      codeOf(signedBy(by, { ...CHECKPOINT, ...change }))
    expect(codeOf(CHECKPOINT, '00'.repeat(32) as GenesisHash)).toBe('other-network')
    expect(again({ epochBlocks: 5 })).toBe('not-an-epoch-end')
    expect(again({ header: { ...header, timestamp: asUnixMs(1) } })).toBe('other-certificate')
    expect(again({ stateRoot: 'cc'.repeat(32) as typeof stateRoot })).toBe('other-certificate')
    expect(again({ certificate: { ...certificate, signatures: certificate.signatures.slice(1) } })).toBe(
      'certificate-does-not-hold',
    )
    expect(again({ validators: CHECKPOINT.validators.slice(1) })).toBe('other-validators')
    expect(again({}, 9)).toBe('unknown-custodian')
    expect(codeOf({ ...CHECKPOINT, signature: checkpointOf(END, 6).signature })).toBe('custodian-signature')
  })

  it('is read back as it was written, and in no other form', () => {
    const text = seedCheckpointJson(CHECKPOINT)
    const read = parseSeedCheckpointJson(text)
    expect(read.ok && codeOf(read.value)).toBe('holds')
    expect(read.ok && seedCheckpointJson(read.value)).toBe(text)
    expect(parseSeedCheckpointJson(text.replace('"version": 1', '"version": 2')).ok).toBe(false)
    expect(parseSeedCheckpointJson(`${text} `).ok).toBe(false)
  })
})

describe('T25: what is certified wins, whatever else there is', () => {
  const stale = CHECKPOINT
  const newer = checkpointOf(epochEnd(2))
  const flood = (count: number) => Array.from({ length: count }, () => stale)

  it('a forged primary is none: a certificate without a quorum', () => {
    const { height, epoch, view } = CHECKPOINT.header
    const forged = certificateBy([5, 6], {
      ...CHECKPOINT.certificate,
      kind: 'commit',
      epoch,
      view,
      height,
    })
    expect(codeOf(signedBy(5, { ...CHECKPOINT, certificate: forged }))).toBe('certificate-does-not-hold')
  })

  it('a stale seed does not win, however many say it and whoever came last', () => {
    expect(newestCheckpoint([newer, ...flood(9)])).toBe(newer)
    expect(newestCheckpoint([...flood(9), newer])).toBe(newer)
    expect(newestCheckpoint([stale, newer])).toBe(newer)
    expect(newestCheckpoint([])).toBeNull()
  })

  it('of two of one height the same one counts everywhere', () => {
    const other = checkpointOf(epochEnd(1, 2_000))
    expect(codeOf(other)).toBe('holds')
    expect(newestCheckpoint([CHECKPOINT, other])).toBe(newestCheckpoint([other, CHECKPOINT]))
  })
})

describe('T26: five of seven keys compromised, two certificates that contradict each other', () => {
  const proven = (proof = fork()) => {
    const checked = checkForkProof(proof, verifySignature)
    if (!checked.ok) throw new Error(checked.detail)
    return checked.value
  }

  it('evidence names who signed both: at least a third, each by a proof that punishes', () => {
    const { conflict, signers, signedStake, totalStake, evidence } = proven()
    expect(conflict).toBe('one-view')
    expect(signers.map(({ id }) => id as string)).toEqual(COMPROMISED.map(idOf))
    expect(3n * signedStake >= totalStake).toBe(true)
    const { rules, state } = genesisState(BROKEN_GENESIS, PORTS)
    const now = { height: asHeight(7), time: asUnixMs(BROKEN_GENESIS.time + 1) }
    const staking = { ...state.staking, epoch: asEpoch(1) }
    expect(evidence.map((of) => checkEvidence(of, staking, now, rules).ok)).toEqual(
      COMPROMISED.map(() => true),
    )
    // Two quorums of seven have three in common at least, whoever they are.
    expect(
      proven(
        fork({}, [
          [0, 1, 2, 3, 4],
          [2, 3, 4, 5, 6],
        ]),
      ).evidence,
    ).toHaveLength(3)
  })

  it('of two views at one height the break is proven, and nobody is named', () => {
    expect(proven(fork({ view: asView(11) }))).toMatchObject({ conflict: 'one-height', evidence: [] })
  })

  it('nothing is proven by certificates that can both be, or that do not hold', () => {
    const codes = [
      fork({ blockHash: fork().first.blockHash }),
      fork({ view: asView(11), height: asHeight(7) }),
      fork({ epoch: asEpoch(2) }),
      fork({}, [
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3],
      ]),
      { ...fork(), second: { ...fork().second, signatures: fork().first.signatures } },
    ].map((proof) => {
      const checked = checkForkProof(proof, verifySignature)
      return checked.ok ? 'holds' : checked.code
    })
    expect(codes).toEqual([
      'no-conflict',
      'no-conflict',
      'no-conflict',
      'certificate-does-not-hold',
      'certificate-does-not-hold',
    ])
  })

  it('a proof is read back as it was written', () => {
    const text = forkProofJson(fork())
    const read = parseForkProofJson(text)
    expect(read.ok && checkForkProof(read.value, verifySignature).ok).toBe(true)
    expect(read.ok && forkProofJson(read.value)).toBe(text)
  })

  const { staking, voting } = END.parent.state
  const state = { staking, operations: voting.operations, pool: 0n, time: END.parent.header.timestamp }
  const culprits = COMPROMISED.map(idOf).sort()
  const next = restartGenesis(BROKEN_GENESIS, state, culprits)
  if (!next.ok) throw new Error(next.detail)
  const decision: RestartDecision = {
    from: NETWORK,
    blockHash: END.parent.hash,
    culprits,
    to: genesisHash(next.value),
  }
  const signedFor = (i: number, of: RestartDecision = decision) => ({
    publicKey: publicKeyOf(i),
    signature: keyOf(i).sign(restartSigningPayload(of), SIGNATURE_CONTEXTS.restart),
  })
  const decided = (...signatures: ReturnType<typeof signedFor>[]) => {
    const checked = checkRestart(decision, signatures, next.value.validators, verifySignature)
    return checked.ok ? 'decided' : checked.code
  }

  it('the network goes on from the checkpoint without the culprits, as another one', () => {
    expect(next.value.validators.map(({ id, stake }) => [id as string, stake])).toEqual([
      [idOf(5), STAKE],
      [idOf(6), STAKE],
    ])
    expect(next.value.accounts.map(({ id, balance }) => [id, balance])).toEqual(
      [5, 6, 7].map((i) => [idOf(i), BALANCE] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    expect(genesisHash(next.value)).not.toBe(NETWORK)
    const after = genesisState(next.value, PORTS)
    expect(after.state.staking.validators.map(({ id }) => id as string)).toEqual([idOf(5), idOf(6)])
    // A certificate of the old network counts for nothing in the new one.
    const { certificate } = CHECKPOINT
    expect(
      checkSeedCheckpoint({ ...CHECKPOINT, certificate }, after.rules.genesisHash, verifySignature).ok,
    ).toBe(false)
  })

  it('when more than two thirds of the remaining stake sign for exactly that', () => {
    expect(decided()).toBe('too-little-stake')
    expect(decided(signedFor(5))).toBe('too-little-stake')
    expect(decided(signedFor(5), signedFor(5))).toBe('too-little-stake')
    expect(decided(signedFor(5), signedFor(6))).toBe('decided')
    expect(decided(signedFor(5), signedFor(0))).toBe('unknown-signer')
    const other = { ...decision, culprits: culprits.slice(1) }
    expect(decided(signedFor(5), signedFor(6, other))).toBe('wrong-signature')
    expect(decided(...COMPROMISED.map((i) => signedFor(i)))).toBe('unknown-signer')
  })

  it('takes everything that is not of a culprit along, and nothing twice', () => {
    const account = staking.accounts.get(idOf(7))
    if (account === undefined) throw new Error('no account')
    const unbonding = [{ amount: 7n, matureHeight: asHeight(9), matureTime: null }]
    const accounts = new Map(staking.accounts).set(idOf(7), { ...account, bonded: 30n, unbonding })
    const policy = { ...BROKEN_GENESIS.policy, minimumStake: 9n }
    const made = restartGenesis(
      BROKEN_GENESIS,
      { ...state, staking: { ...staking, accounts }, operations: { policy } },
      culprits,
    )
    if (!made.ok) throw new Error(made.detail)
    expect(made.value.accounts.find(({ id }) => id === idOf(7))?.balance).toBe(BALANCE + 37n)
    expect(made.value.policy).toEqual(policy)
    const codes = [[idOf(9)], SEVEN.map(idOf)].map((of) => {
      const refused = restartGenesis(BROKEN_GENESIS, state, of)
      return refused.ok ? 'made' : refused.code
    })
    expect(codes).toEqual(['unknown-culprit', 'no-validators'])
  })

  it('loses notes only where whoever decides says what they are worth', () => {
    const restarted = (abandoned?: bigint) =>
      restartGenesis(BROKEN_GENESIS, { ...state, pool: 7n }, culprits, abandoned)
    expect(restarted()).toMatchObject({ ok: false, code: 'notes-are-lost' })
    expect(restarted(6n)).toMatchObject({ ok: false, code: 'notes-are-lost' })
    expect(restarted(7n)).toEqual(restartGenesis(BROKEN_GENESIS, state, culprits))
  })

  it('a signature is read back as it was written', () => {
    const text = restartJson({ ...decision, ...signedFor(5) })
    const read = parseRestartJson(text)
    expect(read.ok && restartJson(read.value)).toBe(text)
    expect(read.ok && decided(read.value, signedFor(6))).toBe('decided')
  })
})
