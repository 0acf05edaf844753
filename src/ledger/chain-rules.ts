/** What every block of a network is judged by: genesis and the hashes that follow from it, computed once. */
import { genesisHash } from '../codec/genesis.ts'
import type { ChainParameters, Genesis, ValidationPolicy } from '../types/genesis.ts'
import { asEpoch, type Epoch, type GenesisHash } from '../types/primitives.ts'
import { type FixedRoots, fixedRoots } from './state-root.ts'

export interface ChainRules {
  readonly genesisHash: GenesisHash
  readonly epoch: Epoch
  readonly parameters: ChainParameters
  readonly policy: ValidationPolicy
  readonly fixedRoots: FixedRoots
}

/** Rules of the first epoch. */
export function chainRules(genesis: Genesis): ChainRules {
  return {
    genesisHash: genesisHash(genesis),
    epoch: asEpoch(0),
    parameters: genesis.parameters,
    policy: genesis.policy,
    fixedRoots: fixedRoots(genesis.validators, genesis.parameters, genesis.policy),
  }
}
