/** Receipts of a node's own storage: old verdicts after pruning, checkpoints that are kept and that are not, a joined state. */
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { HandOverChain } from '../../src/composition/hand-over-chain.ts'
import { ReceiptMaker } from '../../src/composition/receipt-maker.ts'
import { incomingPath, openSnapshots, snapshotsPath } from '../../src/composition/snapshot-opening.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { signatureVerifier } from '../../src/crypto/verify-signature.ts'
import { appendLeaves } from '../../src/ledger/frontier.ts'
import { quorumCheck } from '../../src/ledger/quorum-check.ts'
import { genesisTrust } from '../../src/ledger/receipt/genesis-trust.ts'
import { verifyReceipt } from '../../src/ledger/receipt/verify-receipt.ts'
import { stateBranch } from '../../src/ledger/state-root.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { HandOvers } from '../../src/storage/hand-overs.ts'
import { IncomingSnapshot } from '../../src/storage/incoming-snapshot.ts'
import { ReceiptIndex } from '../../src/storage/receipt-index.ts'
import { SnapshotFiles } from '../../src/storage/snapshot-files.ts'
import { asEpoch, asHeight, type RequestKey } from '../../src/types/primitives.ts'
import {
  SignedChain,
  signedDirectory,
  signedGenesis,
  signedState,
  signedStateRootOf,
} from '../support/signed-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

const EPOCH = 50
/** Blocks from the one that orders a request to the one that brings its verdict. */
const TO_VERDICT = 2
const STATE = signedState(EPOCH)
const TRUST = genesisTrust(signedGenesis(EPOCH))
const verifySignature = signatureVerifier(selectMlDsa65())

function makerOf(database: Database, chain: ChainStore, index: ReceiptIndex): ReceiptMaker {
  const sets = new HandOverChain({
    handOvers: new HandOvers(database),
    founders: { epoch: asEpoch(0), validators: signedGenesis(EPOCH).validators },
    genesisHash: TRUST.genesisHash,
    epochBlocks: EPOCH,
    isCertified: quorumCheck(TRUST.genesisHash, verifySignature),
    fetch: async function* () {},
  })
  return new ReceiptMaker({ chain, index, sets, epochBlocks: EPOCH })
}

async function pruned() {
  const path = temporaryDirectory()
  const directory = await signedDirectory(path, EPOCH)
  const storage = { pruneBlocks: 20, snapshotsKept: 1 }
  const signed = await SignedChain.open({ path, epochBlocks: EPOCH, requestEvery: 1, storage }, directory)
  onTestFinished(() => signed.close())
  await signed.grow(230)
  await signed.upkeep.settled()
  const { database, chain, upkeep } = signed
  return { signed, directory, database, chain, maker: makerOf(database, chain, upkeep.receipts) }
}

const keyAt = (height: number): RequestKey => numberedTransaction(height).requestKey

it('every verdict has one after its block was pruned, but for those of the last block', async () => {
  const { chain, maker } = await pruned()
  expect(chain.lowestHeight).toBeGreaterThan(150)
  for (const height of [1, 2, 77, 229 - TO_VERDICT]) {
    const record = chain.verdict(keyAt(height))?.record
    if (record === undefined) throw new Error(`no verdict at ${height}`)
    const receipt = await maker.make(record, { kind: 'genesis' })
    if (!receipt.ok) throw new Error(receipt.detail)
    expect(verifyReceipt(receipt.value, TRUST, verifySignature)).toMatchObject({
      ok: true,
      value: { position: height - 1, block: { height: 230 }, record: { requestKey: keyAt(height) } },
    })
  }
  const last = chain.verdict(keyAt(230 - TO_VERDICT))?.record
  if (last === undefined) throw new Error('no last verdict')
  expect(await maker.make(last, { kind: 'genesis' })).toMatchObject({ ok: false, code: 'not-ready' })
})

it('a checkpoint is a block that is kept, or an epoch; no other', async () => {
  const { chain, maker } = await pruned()
  const record = chain.verdict(keyAt(3))?.record
  if (record === undefined) throw new Error('no verdict')
  const { genesisHash, epochBlocks, validators } = TRUST
  const height = asHeight(220)
  const fromBlock = await maker.make(record, { kind: 'block', height })
  if (!fromBlock.ok) throw new Error(fromBlock.detail)
  const blockHash = chain.hashAt(height)
  if (blockHash === null) throw new Error('no hash')
  const block = { kind: 'block', genesisHash, epochBlocks, height, blockHash } as const
  expect(verifyReceipt(fromBlock.value, block, verifySignature).ok).toBe(true)

  const epoch = asEpoch(3)
  const fromEpoch = await maker.make(record, { kind: 'epoch', epoch })
  if (!fromEpoch.ok) throw new Error(fromEpoch.detail)
  const set = { kind: 'validator-set', genesisHash, epochBlocks, epoch, validators } as const
  expect(verifyReceipt(fromEpoch.value, set, verifySignature).ok).toBe(true)

  expect(await maker.make(record, { kind: 'block', height: asHeight(100) })).toMatchObject({
    code: 'unavailable',
    detail: expect.stringContaining('block 100 was pruned here') as string,
  })
  for (const start of [
    { kind: 'block', height: asHeight(231) },
    { kind: 'epoch', epoch: asEpoch(5) },
  ] as const) {
    expect(await maker.make(record, start)).toMatchObject({ code: 'not-ready' })
  }
})

it('a node that joined by a snapshot has the index of all verdicts before', async () => {
  const { directory } = await pruned()
  const files = await SnapshotFiles.open(snapshotsPath(directory.root))
  const [manifest] = files.manifests()
  if (manifest === undefined) throw new Error('no snapshot')
  const root = temporaryDirectory()
  const incoming = new IncomingSnapshot(incomingPath(root))
  await incoming.prepare(manifest.chunks)
  for (const reference of manifest.chunks) {
    await incoming.put(reference, (await files.chunk(reference.sha256)) ?? new Uint8Array())
  }
  await incoming.finish(manifest)
  const network = { network: 'signed', genesisHash: TRUST.genesisHash }
  const database = await Database.open({ path: join(root, 'db'), network })
  onTestFinished(() => database.close())
  const stateRootOf = signedStateRootOf(STATE)
  expect(await openSnapshots({ database, root, genesisState: STATE, stateRootOf })).toBe(200)
  const onFatal = (error: unknown): never => {
    throw error
  }
  const chain = await ChainStore.open({ database, genesis: STATE, stateRootOf, onFatal })
  const lines: object[] = []
  const ignore = (): void => undefined
  const index = await ReceiptIndex.open({
    database,
    tip: chain.tip,
    append: appendLeaves,
    branchOf: (accumulators, staking, voting) =>
      stateBranch(accumulators, staking, voting, STATE.rules.fixedRoots),
    logger: { debug: ignore, info: (fields) => lines.push(fields), warn: ignore, error: ignore },
  })
  expect(lines).toEqual([{ verdicts: 200 - TO_VERDICT, from: 0 }])
  for (const height of [1, 100, 200 - TO_VERDICT]) {
    expect(index.positionOf(keyAt(height))).toBe(height - 1)
  }
  // The block that certifies that state has not come here yet.
  const record = chain.verdict(keyAt(1))?.record
  if (record === undefined) throw new Error('no verdict')
  const maker = makerOf(database, chain, index)
  expect(await maker.make(record, { kind: 'genesis' })).toMatchObject({ ok: false, code: 'not-ready' })
})
