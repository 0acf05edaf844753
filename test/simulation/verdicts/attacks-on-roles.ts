/**
 * Attacks on who may say what (spec/commit-reveal.md 5.8, 6.2 and section 8), told with the node's own parts: a network
 * of seven of which two are honest. Each says what went wrong.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { genesisHash } from '../../../src/codec/genesis.ts'
import { parseForkProofJson, restartSigningPayload, seedCheckpointJson } from '../../../src/codec/recovery.ts'
import { forkProofPath, keepForkProof, requireNoFork } from '../../../src/composition/fork-evidence.ts'
import { SeedCheckpoints, type SeedCheckpointsOptions } from '../../../src/composition/seed-checkpoints.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { genesisState } from '../../../src/ledger/genesis-state.ts'
import { countQuorum } from '../../../src/ledger/quorum-check.ts'
import { checkForkProof } from '../../../src/ledger/recovery/fork-proof.ts'
import { checkRestart, restartGenesis } from '../../../src/ledger/recovery/restart.ts'
import { checkEvidence } from '../../../src/ledger/staking/check-evidence.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { QuorumCertificate } from '../../../src/types/certificates.ts'
import type { Evidence } from '../../../src/types/evidence.ts'
import { asEpoch, asHeight, asUnixMs } from '../../../src/types/primitives.ts'
import type { RestartDecision, SignedCheckpoint } from '../../../src/types/recovery.ts'
import {
  BROKEN_GENESIS,
  COMPROMISED,
  certificateBy,
  checkpointOf,
  epochEnd,
  NETWORK,
  SEVEN,
} from '../../support/broken-network.ts'
import { asEvidence, idOf, keyOf, publicKeyOf, StakingChain } from '../../support/staking-chain.ts'
import { blockOn, GENESIS, Harness } from '../../unit/consensus/harness.ts'
import { PORTS } from '../../unit/ledger/fixtures.ts'

const HONEST = [5, 6]
const { verifySignature } = PORTS
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** A story with a folder of its own. */
function told(story: (root: string, must: (isSo: boolean, otherwise: string) => void) => void): string[] {
  const violations: string[] = []
  const root = mkdtempSync(join(tmpdir(), 'hypermesh-told-'))
  try {
    story(root, (isSo, otherwise) => {
      if (!isSo) violations.push(otherwise)
    })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  return violations
}

/** What a call ends with: its error's code, or what it gives. */
function codeOf(call: () => void): string | null {
  try {
    call()
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** T25: a forged primary, a stale seed that is everywhere, a flood of what proves nothing. */
export function roles(): string[] {
  return told((root, must) => {
    const { rules } = genesisState(BROKEN_GENESIS, PORTS)
    const [old, now] = [epochEnd(1), epochEnd(2)]
    const keep = (folder: string, of: SignedCheckpoint, custodian: number): void => {
      const name = `seed-${of.header.height}-${idOf(custodian).slice(0, 12)}.json`
      writeFileSync(join(root, folder, name), seedCheckpointJson(of))
    }
    const folders = ['a', 'b', 'c']
    for (const folder of folders) {
      mkdirSync(join(root, folder))
      for (const custodian of HONEST) keep(folder, checkpointOf(old, custodian), custodian)
    }
    keep('c', checkpointOf(now, 5), 5)
    // The two honest ones alone are no quorum, whoever signs for them.
    keep('b', checkpointOf(epochEnd(3), 6, HONEST), 6)
    const newestOver = (
      headers: readonly SignedCheckpoint['header'][],
      looked: readonly string[],
    ): SignedCheckpoint | null =>
      new SeedCheckpoints({
        folders: looked.map((folder) => join(root, folder)),
        chain: {
          headerAt: (height) => headers.find((header) => header.height === height) ?? null,
          state: now.parent.state,
        } as SeedCheckpointsOptions['chain'],
        rules,
        keyPair: keyOf(5),
        logger: SILENT,
      }).requireAgreement()
    const newest = newestOver([old.parent.header, now.parent.header], folders)?.header.height
    must(newest === 8, `T25: the checkpoint of height ${newest} counts, 8 is the highest that holds`)
    const final = epochEnd(1, 2_000).parent.header
    const refused = codeOf(() => newestOver([final], ['a']))
    must(refused === 'E_SEED_CHECKPOINT', `T25: a checkpoint beside a final block: ${refused ?? 'is taken'}`)

    const chain = new StakingChain()
    const before = chain.staking
    const flood = Array.from({ length: 20 }, (_, i) => asEvidence(forged(chain, i + 1)))
    const entered = flood.filter((evidence) => chain.refusalOf(evidence) === null)
    must(entered.length === 0, `T25: ${entered.length} of ${flood.length} that prove nothing enter the state`)
    must(chain.staking === before, 'T25: what is refused changes the state')
  })
}

/** Against an honest validator, in the words of a real offence but for its signatures. */
function forged(chain: StakingChain, view: number): Evidence {
  const { transaction } = chain.offence(0, 'prepare', 0, view)
  if (transaction.kind !== 'evidence') throw new Error('an offence is evidence')
  return { ...transaction.evidence, publicKey: publicKeyOf(1) }
}

/** By five of seven: a block is final. */
function finalBy(signers: readonly number[], { header, hash }: HashedBlock): QuorumCertificate {
  const { epoch, view, height } = header
  return certificateBy(signers, { kind: 'pre-commit', epoch, view, height, blockHash: hash, stateRoot: null })
}

/** T26: five of seven keys sign two histories; the network goes on from a checkpoint without those who did. */
export function compromised(): string[] {
  return told((root, must) => {
    const final = blockOn(GENESIS, 1)
    const finality = finalBy(COMPROMISED, final)
    /** What a node does that has one block as final and hears of another. */
    const heard = (rival: HashedBlock) => {
      const node = new Harness({ stakes: SEVEN.map(() => 1n), final, finality })
      const effects = node.receive({
        kind: 'certificates',
        highQc: null,
        highTc: null,
        finality: finalBy(COMPROMISED, rival),
      })
      return effects.find((effect) => effect.kind === 'halt')
    }
    const newer = heard(blockOn(GENESIS, 3))
    must(newer?.reason === 'accountable-fork', 'T26: the newer of two certificates wins')
    const halt = heard(blockOn(GENESIS, 1, { timestamp: final.header.timestamp + 9 }))
    must(halt?.reason === 'accountable-fork', 'T26: a node goes on beside a second history')
    if (halt === undefined) return

    const { rules, state } = genesisState(BROKEN_GENESIS, PORTS)
    const set = { epoch: asEpoch(1), validators: BROKEN_GENESIS.validators }
    keepForkProof({ root }, halt.dump, set, rules)
    const again = codeOf(() => requireNoFork({ root }, rules))
    must(again === 'E_SAFETY_BREAK', 'T26: a node starts again on a broken chain')
    const proof = parseForkProofJson(readFileSync(forkProofPath({ root }), 'utf8'))
    const proven = proof.ok ? checkForkProof(proof.value, verifySignature) : proof
    must(proven.ok, 'T26: the proof that is kept proves nothing')
    if (!proven.ok) return
    const moment = { height: asHeight(7), time: asUnixMs(BROKEN_GENESIS.time + 1) }
    const staking = { ...state.staking, epoch: asEpoch(1) }
    const named = new Set<string>()
    for (const evidence of proven.value.evidence) {
      const punished = checkEvidence(evidence, staking, moment, rules)
      if (punished.ok) named.add(punished.value.id)
    }
    must(named.size >= 3, `T26: evidence names ${named.size}`)
    must(
      HONEST.every((i) => !named.has(idOf(i))),
      'T26: evidence names an honest one',
    )

    const end = epochEnd(1).parent
    const { voting, staking: kept } = end.state
    const culprits = COMPROMISED.map(idOf).sort()
    const checkpoint = { staking: kept, operations: voting.operations, pool: 0n, time: end.header.timestamp }
    const next = restartGenesis(BROKEN_GENESIS, checkpoint, culprits)
    must(next.ok, 'T26: nobody can go on')
    if (!next.ok) return
    const { validators } = next.value
    must(
      validators.every(({ id }) => !culprits.some((culprit) => (culprit as string) === id)),
      'T26: a culprit goes on',
    )
    const decision: RestartDecision = {
      from: NETWORK,
      blockHash: end.hash,
      culprits,
      to: genesisHash(next.value),
    }
    const isDecidedBy = (signers: readonly number[]): boolean => {
      const payload = restartSigningPayload(decision)
      const signatures = signers.map((i) => ({
        publicKey: publicKeyOf(i),
        signature: keyOf(i).sign(payload, SIGNATURE_CONTEXTS.restart),
      }))
      return checkRestart(decision, signatures, validators, verifySignature).ok
    }
    must(isDecidedBy(HONEST), 'T26: those who remain cannot decide')
    must(!isDecidedBy(COMPROMISED), 'T26: the culprits decide how it goes on')
    const counts = countQuorum(decision.to, finality, { epoch: asEpoch(1), validators }, verifySignature)
    must(!counts.ok, 'T26: a certificate of the old network counts in the new one')
  })
}
