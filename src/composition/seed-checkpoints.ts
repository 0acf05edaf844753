/**
 * Checkpoints outside of the node: written to several folders at the end of every epoch, and looked at before the node
 * starts. A folder that fails is told and left out; what is in the others stays.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { blockHash } from '../codec/block.ts'
import { validatorId } from '../codec/genesis.ts'
import { checkpointSigningPayload, parseSeedCheckpointJson, seedCheckpointJson } from '../codec/recovery.ts'
import { writeFileWhole } from '../config/data-directory.ts'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import type { MlDsaKeyPair } from '../crypto/ml-dsa.ts'
import { makeFolders } from '../files/make-folders.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import { checkSeedCheckpoint, newestCheckpoint } from '../ledger/recovery/seed-checkpoint.ts'
import { validatorSetRoot } from '../ledger/staking/staking-root.ts'
import type { FinalStore } from '../runtime/ports.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import { epochEndHeight } from '../types/epochs.ts'
import { NodeError } from '../types/errors.ts'
import type { Logger } from '../types/logger.ts'
import type { SeedCheckpoint, SignedCheckpoint } from '../types/recovery.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import { nextSetOf } from './epochs.ts'
import { requireNoFork } from './fork-evidence.ts'
import type { NodeStorage } from './node-storage.ts'

/** Of each custodian kept in each folder; the oldest go. Several validators may share a folder. */
const CHECKPOINTS_KEPT = 8
const NAME = /^seed-(\d+)-([0-9a-f]{12})\.json$/

/** `E_SEED_CHECKPOINT`: the chain on this disk contradicts a checkpoint. */
export class SeedCheckpointError extends NodeError {}

export interface SeedCheckpointsOptions {
  /** None: nothing is written and nothing is looked at. */
  readonly folders: readonly string[]
  readonly chain: Pick<ChainStore, 'headerAt'> & {
    readonly state: Pick<ChainStore['state'], 'staking'>
  }
  readonly rules: Pick<ChainRules, 'genesisHash' | 'parameters' | 'verifySignature'>
  readonly keyPair: MlDsaKeyPair
  readonly logger: Logger
}

export class SeedCheckpoints {
  readonly #options: SeedCheckpointsOptions
  /** The sets of this epoch and the one before: a certificate may come when the next one has begun. */
  #sets: readonly ValidatorSet[] = []

  constructor(options: SeedCheckpointsOptions) {
    this.#options = options
  }

  /** A set begins to decide. */
  follow(set: ValidatorSet): void {
    this.#sets = [...this.#sets.filter(({ epoch }) => epoch !== set.epoch), set].slice(-2)
  }

  /** The store, with a checkpoint behind each certificate that makes one. */
  behind(store: FinalStore): FinalStore {
    return {
      commitFinalized: (blocks) => store.commitFinalized(blocks),
      putCommitCertificate: async (certificate) => {
        await store.putCommitCertificate(certificate)
        this.certified(certificate)
      },
    }
  }

  /** A commit certificate is durable: when it is of an epoch's last block, a checkpoint is kept. */
  certified(certificate: QuorumCertificate): void {
    const { folders, rules } = this.#options
    const { epochBlocks } = rules.parameters
    if (folders.length === 0 || epochBlocks === 0) return
    if (certificate.height !== epochEndHeight(certificate.epoch, epochBlocks)) return
    const checkpoint = this.#checkpointOf(certificate)
    if (checkpoint !== null) this.#write(checkpoint)
  }

  /**
   * Looks at what is in the folders.
   * @returns the newest checkpoint that holds; null when there is none
   * @throws SeedCheckpointError `E_SEED_CHECKPOINT` (65) when this chain has another block at its height
   */
  requireAgreement(): SignedCheckpoint | null {
    const { rules, chain } = this.#options
    const found = this.#read().filter((checkpoint) => {
      const holds = checkSeedCheckpoint(checkpoint, rules.genesisHash, rules.verifySignature)
      if (!holds.ok) this.#options.logger.warn({ why: holds.detail }, 'a seed checkpoint does not hold')
      return holds.ok
    })
    for (const { header, certificate } of found) {
      const ours = chain.headerAt(header.height)
      if (ours === null || blockHash(ours) === certificate.blockHash) continue
      throw new SeedCheckpointError(
        'E_SEED_CHECKPOINT',
        `the chain here has another block at height ${header.height} than the seed checkpoint, ${certificate.blockHash}`,
        {
          exitCode: 65,
          why: 'a quorum certified both: the safety of the network is broken, or this database is of another chain',
          fix: 'do not start it; "hypermesh checkpoint verify" shows the checkpoints, README.md says how a network goes on',
        },
      )
    }
    return newestCheckpoint(found)
  }

  #checkpointOf(certificate: QuorumCertificate): SeedCheckpoint | null {
    const { chain, rules } = this.#options
    const header = chain.headerAt(certificate.height)
    const voters = this.#sets.find(({ epoch }) => epoch === certificate.epoch)?.validators
    const next = [...this.#sets.map(({ validators }) => validators), chain.state.staking.validators]
    const validators = next.find((set) => validatorSetRoot(set) === header?.validatorSetRoot)
    const { stateRoot } = certificate
    if (header === null || voters === undefined || validators === undefined || stateRoot === null) return null
    const { genesisHash, parameters } = rules
    return {
      genesisHash,
      epochBlocks: parameters.epochBlocks,
      header,
      stateRoot,
      voters,
      validators,
      certificate,
    }
  }

  #write(checkpoint: SeedCheckpoint): void {
    const { folders, keyPair, logger } = this.#options
    const { height } = checkpoint.header
    const custodian = keyPair.publicKey.raw
    const signature = keyPair.sign(
      checkpointSigningPayload(checkpoint),
      SIGNATURE_CONTEXTS['seed-checkpoint'],
    )
    const text = seedCheckpointJson({ ...checkpoint, custodian, signature })
    const own = validatorId(custodian).slice(0, 12)
    let written = 0
    for (const folder of folders) {
      try {
        makeFolders(folder)
        writeFileWhole(join(folder, `seed-${height}-${own}.json`), text)
        forgetOld(folder, own)
        written++
      } catch (error) {
        logger.error({ error, folder, height }, 'a seed checkpoint could not be written')
      }
    }
    logger.info({ height, written, folders: folders.length }, 'seed checkpoint kept')
  }

  #read(): SignedCheckpoint[] {
    const { folders, logger } = this.#options
    return folders.flatMap((folder) =>
      namesIn(folder).flatMap(({ name }) => {
        const path = join(folder, name)
        const read = parseSeedCheckpointJson(readFileSync(path, 'utf8'))
        if (read.ok) return [read.value]
        logger.warn({ path, why: read.detail }, 'a file among the seed checkpoints is none')
        return []
      }),
    )
  }
}

/** Lowest first. */
function namesIn(
  folder: string,
): { readonly name: string; readonly height: number; readonly custodian: string }[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    // Not made yet, or not there now: the others count.
    return []
  }
  return names
    .flatMap((name) => {
      const [, height, custodian] = NAME.exec(name) ?? []
      return height === undefined || custodian === undefined
        ? []
        : [{ name, height: Number(height), custodian }]
    })
    .sort((a, b) => a.height - b.height)
}

function forgetOld(folder: string, own: string): void {
  const kept = namesIn(folder).filter(({ custodian }) => custodian === own)
  for (const { name } of kept.slice(0, -CHECKPOINTS_KEPT)) rmSync(join(folder, name))
}

/**
 * The checkpoints of a node, looked at before anything is built on its chain.
 * @throws SeedCheckpointError `E_SEED_CHECKPOINT`, SafetyBreakError `E_SAFETY_BREAK` (65)
 */
export function openSeedCheckpoints(
  {
    chain,
    directory,
    genesisState,
    identity,
  }: Pick<NodeStorage, 'chain' | 'directory' | 'genesisState' | 'identity'>,
  folders: readonly string[],
  logger: Logger,
): SeedCheckpoints {
  const { rules } = genesisState
  requireNoFork(directory, rules)
  const seeds = new SeedCheckpoints({ folders, chain, rules, keyPair: identity.keyPair, logger })
  const newest = seeds.requireAgreement()
  if (newest !== null) logger.info({ height: newest.header.height }, 'the newest seed checkpoint holds')
  seeds.follow(nextSetOf(chain))
  return seeds
}
