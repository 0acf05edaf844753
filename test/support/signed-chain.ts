/**
 * A chain of any length in a data directory, made without a network: real blocks with real state changes, ballots and
 * certificates of four keys in this process. Written through the node's own storage, snapshots and pruning.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeNodeKeys } from '../../src/cli/node-keys.ts'
import { genesisHash, validatorId } from '../../src/codec/genesis.ts'
import { certificateSigningPayload } from '../../src/codec/signing-payloads.ts'
import { type ChainUpkeep, openChainUpkeep } from '../../src/composition/chain-upkeep.ts'
import {
  createDataDirectory,
  type DataDirectory,
  sealDataDirectory,
} from '../../src/config/data-directory.ts'
import { formatGenesis } from '../../src/config/genesis-file.ts'
import { configSchema, type StorageConfig } from '../../src/config/schema.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import type { ChainRules } from '../../src/ledger/chain-rules.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import { stateRoot } from '../../src/ledger/state-root.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import { epochOf } from '../../src/types/epochs.ts'
import type { Genesis } from '../../src/types/genesis.ts'
import type { FinalizedBlock, StateRootOf } from '../../src/types/ledger-state.ts'
import { asHeight, asUnixMs, asValidatorIndex, asView, type StateRoot } from '../../src/types/primitives.ts'
import { GENESIS, numberedTransaction, PORTS } from '../unit/ledger/fixtures.ts'
import { Voters } from './ballots.ts'
import { figures } from './final-chain.ts'
import { RecordingLogger } from './network-node.ts'
import { stateAfter } from './state-after.ts'

const KEYS = [1, 2, 3, 4].map((seed) => selectMlDsa65().keyPairFromSeed(new Uint8Array(32).fill(seed)))

/** Genesis of the four keys. @param epochBlocks blocks per epoch: a snapshot is taken at the end of each */
export function signedGenesis(epochBlocks: number): Genesis {
  return {
    ...GENESIS,
    network: 'signed',
    parameters: { ...GENESIS.parameters, epochBlocks },
    validators: KEYS.map(({ publicKey }) => ({
      id: validatorId(publicKey.raw),
      publicKey: publicKey.raw,
      stake: 1n,
    })),
  }
}

/** What such a network starts from. */
export const signedState = (epochBlocks: number): GenesisState =>
  genesisState(signedGenesis(epochBlocks), PORTS)

/** Root of a state of such a network. */
export const signedStateRootOf =
  ({ rules }: GenesisState) =>
  (...[accumulators, staking, voting]: Parameters<StateRootOf>): StateRoot =>
    stateRoot(accumulators, staking, voting, rules.fixedRoots)

/** A certificate of three of the four, signed. */
export function signedCertificate(
  { header, hash }: HashedBlock,
  kind: 'pre-commit' | 'commit',
  root: StateRoot | null = null,
): QuorumCertificate {
  const { epoch, view, height } = header
  const of = { epoch, view, height, blockHash: hash }
  const unsigned = { kind, ...of, stateRoot: root, signatures: [] }
  const payload = certificateSigningPayload(header.genesisHash, unsigned, null)
  const signatures = [0, 1, 2].map((voter) => ({
    voter: asValidatorIndex(voter),
    signature: KEYS[voter]?.sign(payload, SIGNATURE_CONTEXTS[kind]) ?? new Uint8Array(),
    commits: null,
  }))
  return { ...unsigned, signatures }
}

/** Blocks that become final by one certificate: a checkpoint's distance. */
const BATCH_BLOCKS = 64

export interface SignedChainOptions {
  readonly path: string
  readonly epochBlocks: number
  readonly storage?: Partial<StorageConfig>
  /** A request in every block of a height that this divides; 0: none. */
  readonly requestEvery?: number
}

/** A directory, its database, and the makers of its snapshots. */
export class SignedChain {
  readonly database: Database
  readonly chain: ChainStore
  readonly upkeep: ChainUpkeep
  readonly #options: SignedChainOptions
  readonly #rules: ChainRules
  readonly #voters: Voters

  private constructor(
    options: SignedChainOptions,
    database: Database,
    chain: ChainStore,
    upkeep: ChainUpkeep,
  ) {
    this.#options = options
    this.#rules = signedState(options.epochBlocks).rules
    this.#voters = new Voters(this.#rules.genesisHash)
    this.database = database
    this.chain = chain
    this.upkeep = upkeep
    // What a process before this one judged is in the database.
    const waiting = chain.tip.voting.batches.flatMap(({ requests }) => requests)
    this.#voters.judged(
      waiting.map((request) => ({ ...request, failures: chain.state.judgement(request.requestKey) ?? [] })),
    )
  }

  static async open(options: SignedChainOptions, directory: DataDirectory): Promise<SignedChain> {
    const genesis = signedState(options.epochBlocks)
    const network = { network: 'signed', genesisHash: genesis.rules.genesisHash }
    const database = await Database.open({ path: directory.database, network })
    const onFatal = (error: unknown): never => {
      throw error
    }
    const chain = await ChainStore.open({
      database,
      genesis,
      stateRootOf: signedStateRootOf(genesis),
      onFatal,
    })
    const metrics = createMetrics({ version: 'test', commit: 'test' })
    metrics.stop()
    const upkeep = await openChainUpkeep({
      storage: { chain, database, directory, genesisState: genesis },
      config: { ...configSchema.parse({}).storage, ...options.storage },
      epochBlocks: options.epochBlocks,
      isValidator: () => true,
      changedSet: () => null,
      metrics,
      now: () => performance.now(),
      onFatal,
      logger: new RecordingLogger(),
    })
    return new SignedChain(options, database, chain, upkeep)
  }

  /** Grows the chain to a height. @param onBatch told the height after every batch */
  async grow(to: number, onBatch: (height: number) => void | Promise<void> = () => undefined): Promise<void> {
    const { chain, upkeep } = this
    const { epochBlocks } = this.#options
    while (chain.tip.height < to) {
      const next = chain.tip.height + 1
      const aligned = Math.floor((next + BATCH_BLOCKS - 1) / BATCH_BLOCKS) * BATCH_BLOCKS
      const epochEnd = epochBlocks === 0 ? to : Math.ceil(next / epochBlocks) * epochBlocks
      const blocks = this.#build(Math.min(aligned, epochEnd, to))
      await upkeep.snapshots.commitFinalized(blocks)
      upkeep.finalized()
      const { block, stateRoot: root } = chain.tip
      await upkeep.snapshots.putCommitCertificate(signedCertificate(block, 'commit', root))
      await onBatch(chain.tip.height)
    }
  }

  async close(): Promise<void> {
    await this.upkeep.stop()
    await this.chain.settled()
    await this.database.close()
  }

  /** Blocks up to a height, final by the certificate of the last. */
  #build(to: number): FinalizedBlock[] {
    const { tip, state } = this.chain
    const { requestEvery = 0 } = this.#options
    const made: Omit<FinalizedBlock, 'finality'>[] = []
    let parent = {
      hash: tip.block.hash,
      header: tip.block.header,
      stateRoot: tip.stateRoot,
      state: state as StateReader,
    }
    for (let height = tip.height + 1; height <= to; height++) {
      const requests = requestEvery > 0 && height % requestEvery === 0 ? [numberedTransaction(height)] : []
      const ballots = this.#voters.next(parent)
      const { executed } = buildBlock(
        {
          epoch: epochOf(asHeight(height), this.#options.epochBlocks),
          view: asView(height),
          justify: { view: parent.header.view, blockHash: parent.hash },
          // Little time passes, so that requests stay fresh.
          timestamp: asUnixMs(parent.header.timestamp + 1),
          proposer: asValidatorIndex(height % 4),
        },
        ballots === null ? requests : [ballots, ...requests],
        parent,
        this.#rules,
      )
      const { block, changes } = executed
      this.#voters.judged(changes.judgements)
      made.push({ ...executed, fillers: [], answers: changes.verdicts.map(() => figures(height)) })
      const below = parent.state
      parent = {
        hash: block.hash,
        header: block.header,
        stateRoot: executed.stateRoot,
        state: stateAfter(below, changes),
      }
    }
    const last = made.at(-1)
    if (last === undefined) return []
    const finality = signedCertificate(last.block, 'pre-commit')
    return made.map((block) => ({ ...block, finality }))
  }
}

/** The data directory of a node of such a network that is no validator; nothing in it yet. */
export async function signedDirectory(path: string, epochBlocks: number): Promise<DataDirectory> {
  const genesis = signedGenesis(epochBlocks)
  const directory = createDataDirectory(path)
  await takeNodeKeys(directory.root, 'node')
  writeFileSync(directory.genesis, formatGenesis(genesis))
  writeFileSync(join(directory.root, 'config.toml'), 'schema = 1\n')
  sealDataDirectory(directory, genesis.network, genesisHash(genesis))
  return directory
}

/** Makes a directory with a chain of a height in it. */
export async function makeSignedChain(options: SignedChainOptions, height: number): Promise<DataDirectory> {
  const directory = await signedDirectory(options.path, options.epochBlocks)
  const chain = await SignedChain.open(options, directory)
  await chain.grow(height)
  await chain.upkeep.settled()
  await chain.close()
  return directory
}
