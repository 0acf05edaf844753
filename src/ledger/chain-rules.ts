/** What every block of a network is judged by: genesis and the hashes that follow from it, computed once. */
import { genesisHash } from '../codec/genesis.ts'
import type { BlockHeader } from '../types/block.ts'
import { epochEndHeight, epochOf } from '../types/epochs.ts'
import type { ChainParameters, Genesis, ValidationPolicy } from '../types/genesis.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { ShieldedGenesis } from '../types/shielded.ts'
import type { VerifySignature } from '../types/signatures.ts'
import { type VerifyShielded, verifyShieldedProof } from './shielded/statement.ts'
import { type FixedRoots, fixedRoots } from './state-root.ts'

/** What the rules need from outside: a pure core knows no cryptography library. */
export interface RulePorts {
  readonly verifySignature: VerifySignature
  /** Whether the proof of a shielded transaction is right; absent: it is verified when it is asked. */
  readonly verifyShielded?: VerifyShielded
}

export interface ChainRules extends Required<RulePorts> {
  readonly genesisHash: GenesisHash
  readonly parameters: ChainParameters
  readonly policy: ValidationPolicy
  readonly fixedRoots: FixedRoots
  /** Absent: no notes at the start, no reward, and the least fee there is. */
  readonly shielded: ShieldedGenesis | undefined
  /** All that genesis gives: to accounts and in notes. */
  readonly genesisSupply: bigint
  /**
   * How a request gets its verdict. `tallied`: validators commit to their findings and open them. `executed`: by whoever
   * makes the block, for where nobody votes: a chain that is mined is never final, and neither are its verdicts.
   */
  readonly verdicts: 'tallied' | 'executed'
}

/** Rules of a network. */
export function chainRules(
  genesis: Genesis,
  { verifySignature, verifyShielded = verifyShieldedProof }: RulePorts,
): ChainRules {
  return {
    genesisHash: genesisHash(genesis),
    parameters: genesis.parameters,
    policy: genesis.policy,
    fixedRoots: fixedRoots(genesis.parameters, genesis.policy),
    shielded: genesis.shielded,
    genesisSupply: genesisSupply(genesis),
    verifySignature,
    verifyShielded,
    verdicts: genesis.consensus?.engine === 'pow' ? 'executed' : 'tallied',
  }
}

/** Balances, stake and notes of genesis together. */
function genesisSupply({ accounts, validators, shielded }: Genesis): bigint {
  const amounts = [
    ...accounts.map(({ balance }) => balance),
    ...validators.map(({ stake }) => stake),
    ...(shielded?.notes ?? []).map(({ value }) => value),
  ]
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

type Place = Pick<BlockHeader, 'epoch' | 'height'>

/**
 * Whether a block is a filler (R13): of an epoch whose last block lies below it. It is there to make that block
 * final, holds nothing, changes nothing, and never becomes final itself.
 */
export function isFiller({ epoch, height }: Place, epochBlocks: number): boolean {
  return epoch < epochOf(height, epochBlocks)
}

/** Whether a block is the last of its epoch, whose execution decides the next validator set. */
export function isEpochEnd({ epoch, height }: Place, epochBlocks: number): boolean {
  return height > 0 && height === epochEndHeight(epoch, epochBlocks)
}
