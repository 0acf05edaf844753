/**
 * What a node does about a safety break that it saw: it keeps the two certificates that prove it beside its keys, stops,
 * and does not start again on that chain. Going on would only add to one of two histories.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { forkProofJson, parseForkProofJson } from '../codec/recovery.ts'
import { type DataDirectory, writeFileWhole } from '../config/data-directory.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import { checkForkProof } from '../ledger/recovery/fork-proof.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { NodeError } from '../types/errors.ts'
import type { ForkProof } from '../types/recovery.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { NodeStorage } from './node-storage.ts'

/** `E_SAFETY_BREAK`: the network has two histories. */
export class SafetyBreakError extends NodeError {}

type Rules = Pick<ChainRules, 'genesisHash' | 'verifySignature'>

/** Where the proof lies in a data directory. */
export function forkProofPath({ root }: Pick<DataDirectory, 'root'>): string {
  return join(root, 'fork-proof.json')
}

function broken(path: string): SafetyBreakError {
  return new SafetyBreakError(
    'E_SAFETY_BREAK',
    'the network has two histories: two certificates contradict each other',
    {
      exitCode: 65,
      why: `the proof is in ${path}`,
      fix: '"hypermesh checkpoint culprits" names who signed both; README.md says how a network goes on',
    },
  )
}

/** Every pair of certificates among those that consensus had when it stopped, if two contradict each other. */
function proofIn(dump: object, set: ValidatorSet, { genesisHash, verifySignature }: Rules): ForkProof | null {
  const certificates = Object.values(dump)
    .flat()
    .filter((value): value is QuorumCertificate => isCertificate(value))
  for (const [i, first] of certificates.entries()) {
    for (const second of certificates.slice(i + 1)) {
      const proof = { genesisHash, voters: set.validators, first, second }
      if (checkForkProof(proof, verifySignature).ok) return proof
    }
  }
  return null
}

const isCertificate = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'signatures' in value && 'blockHash' in value

/** Keeps the proof of a halt that is one, and gives the error to stop with; null for another halt. */
export function keepForkProof(
  directory: Pick<DataDirectory, 'root'>,
  dump: object,
  set: ValidatorSet,
  rules: Rules,
): SafetyBreakError | null {
  const proof = proofIn(dump, set, rules)
  if (proof === null) return null
  const path = forkProofPath(directory)
  writeFileWhole(path, forkProofJson(proof))
  return broken(path)
}

/** What happens when consensus stops: the proof is kept when there is one, and the process ends. */
export function haltHandler(
  { directory, genesisState }: Pick<NodeStorage, 'directory' | 'genesisState'>,
  set: () => ValidatorSet,
  onFatal: (error: unknown) => void,
): (reason: string, dump: object) => void {
  return (reason, dump) =>
    onFatal(
      keepForkProof(directory, dump, set(), genesisState.rules) ??
        Object.assign(new Error(`consensus stopped: ${reason}`), { dump }),
    )
}

/** @throws SafetyBreakError `E_SAFETY_BREAK` (65) when the proof of a safety break of this network lies here */
export function requireNoFork(directory: Pick<DataDirectory, 'root'>, rules: Rules): void {
  const path = forkProofPath(directory)
  if (!existsSync(path)) return
  const proof = parseForkProofJson(readFileSync(path, 'utf8'))
  const isOfThis = proof.ok && proof.value.genesisHash === rules.genesisHash
  if (isOfThis && checkForkProof(proof.value, rules.verifySignature).ok) throw broken(path)
}
