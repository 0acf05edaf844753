/**
 * One whole validator shell (driver, effects, outbox, real signer, real safety log) on a file system that fails, among
 * three others that the test speaks for with their own keys. It lives, dies with its disk, and lives again.
 */

import { encodeMessage } from '../../src/codec/messages.ts'
import { signingHistoryOf } from '../../src/composition/signing-history.ts'
import { ValidatorSignatures } from '../../src/composition/validator-signatures.ts'
import { NO_LEADER_RECORD } from '../../src/consensus/leader-election.ts'
import { ballotSalts } from '../../src/crypto/ballot-salt.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { Signer } from '../../src/crypto/signer.ts'
import { genesisState } from '../../src/ledger/genesis-state.ts'
import { BlockExecutor } from '../../src/runtime/block-executor.ts'
import { ConsensusNode } from '../../src/runtime/consensus-node.ts'
import { recoverSafety } from '../../src/runtime/recover-safety.ts'
import { SafetyLog, type SafetyLogOptions } from '../../src/storage/safety-log.ts'
import type { StorageError } from '../../src/storage/storage-error.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { ConsensusMessage } from '../../src/types/messages.ts'
import { asEpoch, asMonotonicMs, asUnixMs, asValidatorIndex, asView } from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { PORTS } from '../unit/ledger/fixtures.ts'
import { NETWORK_GENESIS } from './consensus-nodes.ts'
import type { FaultFileSystem } from './fault-fs.ts'
import { idOf, keyOf, NETWORK } from './safety-fixtures.ts'

const mlDsa = selectMlDsa65()
const SET = { epoch: asEpoch(0), validators: NETWORK_GENESIS.validators }
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const START = genesisState(NETWORK_GENESIS, PORTS)
/** No view ends by itself in a test. */
const RULES = {
  ...START.rules,
  parameters: { ...START.rules.parameters, viewTimeoutMinMs: 60_000, viewTimeoutMaxMs: 60_000 },
}
const clock = {
  monotonicMs: () => asMonotonicMs(performance.now()),
  unixMs: () => asUnixMs(NETWORK_GENESIS.time + 2_000),
}

function poolOf(transactions: readonly HashedTransaction[]) {
  return { select: () => transactions, remove: () => undefined }
}

/** A block that an honest leader could make on genesis. */
export function blockOnGenesis(proposer: number, transactions: readonly HashedTransaction[]): HashedBlock {
  const executor = new BlockExecutor({
    rules: RULES,
    final: { hash: START.block.hash, stateRoot: START.stateRoot },
    finalState: START.state,
    pool: poolOf(transactions),
    stopwatch: () => 0,
  })
  const fields = {
    epoch: asEpoch(0),
    view: asView(proposer),
    justify: { view: asView(0), blockHash: START.block.hash },
    timestamp: clock.unixMs(),
    proposer: asValidatorIndex(proposer),
  }
  const built = executor.build(fields, START.block, true)
  if (built === null) throw new Error('no block')
  return built.block
}

export interface Life {
  /** What it said, in order. */
  readonly said: Uint8Array[]
  readonly fatal: unknown[]
  /** How much it had said when its end was told. */
  saidAtEnd(): number | null
  hear(from: number, message: ConsensusMessage): void
  /** Resolves when what it decided so far is said, or never will be. */
  settled(): Promise<void>
  end(): Promise<void>
}

export function logOptions(
  index: number,
  fileSystem: FaultFileSystem,
  onFatal: (error: StorageError) => void = () => undefined,
): SafetyLogOptions {
  return {
    path: '/keys/safety/safety.log',
    binding: { validatorId: idOf(index), genesisHash: NETWORK },
    fileSystem,
    segmentBytes: 64 * 1024,
    onFatal,
  }
}

/**
 * Opens the log and starts the validator; with a transaction to propose when it leads.
 * @throws StorageError as the log does
 */
export async function live(
  index: number,
  fileSystem: FaultFileSystem,
  transactions: readonly HashedTransaction[],
): Promise<Life> {
  const said: Uint8Array[] = []
  const fatal: unknown[] = []
  let saidAtEnd: number | null = null
  const onFatal = (error: unknown): void => {
    saidAtEnd ??= said.length
    fatal.push(error)
  }
  const { log, replay } = await SafetyLog.open(logOptions(index, fileSystem, onFatal))
  const records = replay.snapshot === null ? replay.records : [replay.snapshot, ...replay.records]
  const recovered = recoverSafety(records)
  const node = new ConsensusNode({
    rules: RULES,
    nextSet: () => SET,
    epochEndOf: () => null,
    leaderRecord: NO_LEADER_RECORD,
    onEpoch: () => undefined,
    onEquivocation: () => undefined,
    onCommitPair: () => undefined,
    validator: {
      id: idOf(index),
      signer: new Signer(keyOf(index), signingHistoryOf(recovered, NETWORK)),
      log,
      recovered,
      ballots: { saltOf: ballotSalts(new Uint8Array(32).fill(index), NETWORK) },
    },
    tip: { block: START.block, stateRoot: START.stateRoot, finality: null },
    finalState: START.state,
    judgement: () => null,
    store: { commitFinalized: async () => undefined, putCommitCertificate: async () => undefined },
    pool: poolOf(transactions),
    transport: { broadcast: (bytes) => void said.push(bytes), send: (_, bytes) => void said.push(bytes) },
    fetcher: { fetchByHash: async () => null },
    sync: { request: () => undefined, suspect: () => undefined },
    signatures: (set) => new ValidatorSignatures(mlDsa, set),
    clock,
    observe: () => undefined,
    onFinal: () => undefined,
    onHalt: (reason) => onFatal(reason),
    onFatal,
    logger: silent,
  })
  node.start()
  for (const other of [0, 1, 2, 3]) if (other !== index) node.reachabilityChanged(idOf(other), true)
  if (transactions.length > 0) node.workArrived([])
  return {
    said,
    fatal,
    saidAtEnd: () => saidAtEnd,
    // The process would be gone: nothing is heard any more.
    hear: (from, message) => void (saidAtEnd === null && node.receive(idOf(from), encodeMessage(message))),
    settled: async () => {
      await log.flush().catch(() => undefined)
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    },
    end: () => node.stop(),
  }
}
