/** Records in and out of real data directories: what an import leaves behind, and what it leaves alone. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNetwork } from '../../../src/cli/local-network/network-folder.ts'
import { nodePorts } from '../../../src/cli/local-network/node-ports.ts'
import { takeNodeKeys } from '../../../src/cli/node-keys.ts'
import { safetyLogPath } from '../../../src/composition/node-storage.ts'
import { formatSafetyFile } from '../../../src/composition/safety-interchange.ts'
import { payloadOf } from '../../../src/composition/safety-slots.ts'
import { importSafety, showSafety, takeSafety } from '../../../src/composition/safety-transfer.ts'
import { readSigningPlace } from '../../../src/composition/signing-place.ts'
import {
  createDataDirectory,
  dataDirectoryAt,
  sealDataDirectory,
} from '../../../src/config/data-directory.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { loadIdentity } from '../../../src/crypto/keystore.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { NO_BALLOTS } from '../../../src/types/ballots.ts'
import type { Vote } from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type BlockHash,
  type GenesisHash,
} from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../../src/types/safety.ts'
import { BLOCK_A, BLOCK_B, signedCertificate } from '../../support/safety-fixtures.ts'

const mlDsa = selectMlDsa65()
let home: string
let folder: string
let genesisHash: GenesisHash
let prepareAt: (view: number, blockHash?: BlockHash) => Vote

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'hypermesh-transfer-'))
  const [made = ''] = await createNetwork({
    folder: join(home, 'net'),
    nodeName: () => 'node',
    network: 'transfer',
    ports: [nodePorts(9_000, 0)],
    parameters: {},
  })
  folder = made
  const { keyPair } = await loadIdentity(join(dataDirectoryAt(folder).keys, 'identity.json'), mlDsa)
  ;({ genesisHash } = await showSafety(folder, mlDsa))
  prepareAt = (view, blockHash = BLOCK_A) => {
    const vote: Vote = {
      kind: 'prepare',
      epoch: asEpoch(0),
      view: asView(view),
      height: asHeight(view),
      blockHash,
      voter: asValidatorIndex(0),
      signature: new Uint8Array(0),
      ballots: NO_BALLOTS,
    }
    return { ...vote, signature: keyPair.sign(payloadOf(genesisHash, vote), SIGNATURE_CONTEXTS.prepare) }
  }
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

async function fileOf(record: Partial<SafetyRecord>, mark = 0): Promise<{ name: string; text: string }> {
  const { validatorId, publicKey } = await showSafety(folder, mlDsa)
  const of = {
    validatorId,
    publicKey,
    record: { ...EMPTY_SAFETY_RECORD, ...record },
    refuseUpToView: asView(mark),
  }
  return { name: 'safety.json', text: formatSafetyFile(genesisHash, of) }
}

const log = (): string => safetyLogPath(dataDirectoryAt(folder))
const place = () => readSigningPlace(dataDirectoryAt(folder).safety)

describe('an import', () => {
  it('adds to what is there, makes the next start listen, and is there after it', async () => {
    expect(place().isHere).toBe(true)
    const merged = await importSafety(folder, await fileOf({ prepare: prepareAt(10) }), mlDsa)
    expect(merged.record.prepare?.view).toBe(10)
    expect((await showSafety(folder, mlDsa)).record.prepare?.view).toBe(10)
    expect(place()).toEqual({ isHere: false, refuseUpToView: 0 })
  })

  it('never lowers anything', async () => {
    await importSafety(folder, await fileOf({ prepare: prepareAt(4) }, 7), mlDsa)
    await importSafety(folder, await fileOf({}, 3), mlDsa)
    const { record, refuseUpToView } = await showSafety(folder, mlDsa)
    expect([record.prepare?.view, refuseUpToView]).toEqual([10, 7])
  })

  it('begins a record where there is none, and the mark is durable before it', async () => {
    renameSync(log(), `${log()}.aside`)
    renameSync(join(dataDirectoryAt(folder).safety, 'place.json'), `${log()}.place`)
    await expect(showSafety(folder, mlDsa)).rejects.toMatchObject({ code: 'E_SAFETY_RECORD_MISSING' })
    const { validatorId } = await import('../../../src/codec/genesis.ts')
    const { keyPair } = await loadIdentity(join(dataDirectoryAt(folder).keys, 'identity.json'), mlDsa)
    const publicKey = keyPair.publicKey.raw
    const of = { validatorId: validatorId(publicKey), publicKey, refuseUpToView: asView(9) }
    const record = { ...EMPTY_SAFETY_RECORD, prepare: prepareAt(12) }
    const text = formatSafetyFile(genesisHash, { ...of, record })
    await importSafety(folder, { name: 'safety.json', text }, mlDsa)
    expect(existsSync(log())).toBe(true)
    const shown = await showSafety(folder, mlDsa)
    expect([shown.record.prepare, shown.refuseUpToView]).toEqual([
      { ...record.prepare, signature: new Uint8Array(record.prepare.signature) },
      9,
    ])
  })

  it('with another content for a slot changes nothing', async () => {
    const before = readFileSync(log())
    const file = await fileOf({ prepare: prepareAt(12, BLOCK_B) })
    await expect(importSafety(folder, file, mlDsa)).rejects.toMatchObject({ code: 'E_SAFETY_CONFLICT' })
    expect(readFileSync(log()).equals(before)).toBe(true)
  })

  it('with a certificate that no quorum of this network signed changes nothing', async () => {
    const before = readFileSync(log())
    const file = await fileOf({ highQc: signedCertificate('prepare', 99, [0]) })
    await expect(importSafety(folder, file, mlDsa)).rejects.toMatchObject({
      code: 'E_SAFETY_FILE',
      exitCode: 65,
    })
    expect(readFileSync(log()).equals(before)).toBe(true)
  })
})

describe('an export', () => {
  it('is what was imported, and makes the next start listen', async () => {
    const { markSignedHere } = await import('../../../src/composition/signing-place.ts')
    markSignedHere(dataDirectoryAt(folder).safety, asView(9))
    expect(place().isHere).toBe(true)
    const taken = await takeSafety(folder, mlDsa)
    expect([taken.record.prepare?.view, taken.refuseUpToView]).toEqual([12, 9])
    expect(place()).toEqual({ isHere: false, refuseUpToView: 9 })
  })

  it('of a key that does not belong to the record is refused (77)', async () => {
    const [other = ''] = await createNetwork({
      folder: join(home, 'other'),
      nodeName: () => 'node',
      network: 'transfer',
      ports: [nodePorts(9_000, 0)],
      parameters: {},
    })
    writeFileSync(safetyLogPath(dataDirectoryAt(other)), readFileSync(log()))
    await expect(takeSafety(other, mlDsa)).rejects.toMatchObject({
      code: 'E_SAFETY_RECORD_FOREIGN',
      exitCode: 77,
    })
  })
})

it('of a node that is no validator there is none, which is no fault of it', async () => {
  const follower = createDataDirectory(join(home, 'follower'))
  await takeNodeKeys(follower.root, 'node')
  copyFileSync(dataDirectoryAt(folder).genesis, follower.genesis)
  sealDataDirectory(follower, 'transfer', genesisHash)
  await expect(showSafety(follower.root, mlDsa)).rejects.toMatchObject({
    code: 'E_SAFETY_RECORD_NONE',
    exitCode: 77,
    advice: { why: 'its key is no validator of the genesis, and a node that is no validator keeps none' },
  })
})
