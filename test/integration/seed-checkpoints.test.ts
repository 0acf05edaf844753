/** Checkpoints and proofs of a safety break on disk: kept in several places, looked at before a node starts. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseForkProofJson, parseSeedCheckpointJson, seedCheckpointJson } from '../../src/codec/recovery.ts'
import { forkProofPath, keepForkProof, requireNoFork } from '../../src/composition/fork-evidence.ts'
import { SeedCheckpoints } from '../../src/composition/seed-checkpoints.ts'
import { genesisState } from '../../src/ledger/genesis-state.ts'
import { checkSeedCheckpoint } from '../../src/ledger/recovery/seed-checkpoint.ts'
import type { BlockHeader } from '../../src/types/block.ts'
import { asEpoch } from '../../src/types/primitives.ts'
import {
  BROKEN_GENESIS,
  COMPROMISED,
  checkpointOf,
  epochEnd,
  fork,
  NETWORK,
} from '../support/broken-network.ts'
import { RecordingLogger } from '../support/network-node.ts'
import { idOf, keyOf } from '../support/staking-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { PORTS } from '../unit/ledger/fixtures.ts'

const { rules } = genesisState(BROKEN_GENESIS, PORTS)
const END = epochEnd(1)
const { certificate } = checkpointOf(END)
const OWN = idOf(5).slice(0, 12)
const NAME = `seed-4-${OWN}.json`
const SET = { epoch: asEpoch(0), validators: BROKEN_GENESIS.validators }

function seeds(header: BlockHeader = END.parent.header, root = temporaryDirectory()) {
  const folders = ['a', 'b', 'c'].map((name) => join(root, name))
  const chain = {
    headerAt: (height: number) => (height === header.height ? header : null),
    state: END.parent.state,
  } as ConstructorParameters<typeof SeedCheckpoints>[0]['chain']
  const logger = new RecordingLogger()
  const made = new SeedCheckpoints({ folders, chain, rules, keyPair: keyOf(5), logger })
  made.follow(SET)
  return { root, folders, made, logger }
}

describe('seed checkpoints', () => {
  it('are written to every folder when the last block of an epoch is certified, and hold', () => {
    const { folders, made } = seeds()
    made.certified({ ...certificate, height: 3 as never })
    expect(folders.some((folder) => existsSync(folder))).toBe(false)
    made.certified(certificate)
    for (const folder of folders) {
      expect(readdirSync(folder)).toEqual([NAME])
      const read = parseSeedCheckpointJson(readFileSync(join(folder, NAME), 'utf8'))
      expect(read.ok && checkSeedCheckpoint(read.value, NETWORK, PORTS.verifySignature).ok).toBe(true)
    }
    expect(made.requireAgreement()?.header.height).toBe(4)
  })

  it('stay in the other folders when one cannot be written', () => {
    const { folders, made, logger } = seeds()
    writeFileSync(folders[1] as string, 'a file where a folder was')
    made.certified(certificate)
    expect([0, 2].map((i) => readdirSync(folders[i] as string))).toEqual([[NAME], [NAME]])
    expect(logger.lines.some((line) => line.message === 'a seed checkpoint could not be written')).toBe(true)
  })

  it('are eight in a folder at most, the oldest gone', () => {
    const { folders, made } = seeds()
    for (const folder of folders) {
      mkdirSync(folder)
      for (let height = -4; height <= 3; height++)
        writeFileSync(join(folder, `seed-${height + 4}00-${OWN}.json`), '')
    }
    made.certified(certificate)
    for (const folder of folders) expect(readdirSync(folder)).toHaveLength(8)
  })

  it('stop a node whose chain has another block there, and no node that is behind', () => {
    const { root, made } = seeds()
    made.certified(certificate)
    const other = seeds(epochEnd(1, 2_000).parent.header, root)
    expect(() => other.made.requireAgreement()).toThrow(/another block at height 4/)
    const behind = seeds({ ...END.parent.header, height: 3 as never }, root)
    expect(behind.made.requireAgreement()?.header.height).toBe(4)
  })

  it('that are damaged, forged or of another network are told and do not count', () => {
    const { folders, made, logger } = seeds()
    for (const folder of folders) mkdirSync(folder)
    const [a = '', b = ''] = folders
    writeFileSync(join(a, NAME), 'nonsense')
    const few = checkpointOf(END, 5, [5, 6])
    writeFileSync(join(b, `seed-8-${OWN}.json`), seedCheckpointJson(few))
    expect(made.requireAgreement()).toBeNull()
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'a file among the seed checkpoints is none',
      'a seed checkpoint does not hold',
    ])
  })
})

describe('a safety break', () => {
  it('is kept when consensus stops, and the node does not start on that chain again', () => {
    const root = temporaryDirectory()
    expect(() => requireNoFork({ root }, rules)).not.toThrow()
    const { first, second } = fork()
    const set = { epoch: asEpoch(1), validators: BROKEN_GENESIS.validators }
    const dump = { final: END.parent.header, finality: first, other: [second] }
    expect(keepForkProof({ root }, dump, set, rules)).toMatchObject({ code: 'E_SAFETY_BREAK' })
    const read = parseForkProofJson(readFileSync(forkProofPath({ root }), 'utf8'))
    expect(read.ok && read.value.first.signatures.map(({ voter }) => voter)).toEqual(COMPROMISED)
    expect(() => requireNoFork({ root }, rules)).toThrow(/two histories/)
    // Of another network, or damaged, it proves nothing here.
    expect(() => requireNoFork({ root }, { ...rules, genesisHash: '00'.repeat(32) as never })).not.toThrow()
    writeFileSync(forkProofPath({ root }), 'nonsense')
    expect(() => requireNoFork({ root }, rules)).not.toThrow()
  })

  it('is none when consensus stops for another reason', () => {
    const root = temporaryDirectory()
    const { first } = fork()
    const set = { epoch: asEpoch(1), validators: BROKEN_GENESIS.validators }
    expect(keepForkProof({ root }, { certificate: first, path: [END.parent.header] }, set, rules)).toBeNull()
    expect(existsSync(forkProofPath({ root }))).toBe(false)
  })
})
