/** The interchange file and the joining of records: nothing is lost, nothing is lowered, nothing is believed. */
import { describe, expect, it } from 'vitest'
import {
  formatSafetyFile,
  parseSafetyFile,
  type SafetyOfKey,
} from '../../../src/composition/safety-interchange.ts'
import { mergeSafety } from '../../../src/composition/safety-merge.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { NodeError } from '../../../src/types/errors.ts'
import { asView, type GenesisHash } from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../../src/types/safety.ts'
import {
  BLOCK_B,
  idOf,
  keyOf,
  NETWORK,
  recordAt,
  signedTimeout,
  signedVote,
} from '../../support/safety-fixtures.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const US = 1
const RECORD = recordAt(US, 12)
const safetyOf = (record: SafetyRecord, refuseUpToView = 0, index = US): SafetyOfKey => ({
  validatorId: idOf(index),
  publicKey: keyOf(index).publicKey.raw,
  record,
  refuseUpToView: asView(refuseUpToView),
})
const TEXT = formatSafetyFile(NETWORK, safetyOf(RECORD, 5))

function parse(text: string, genesisHash: GenesisHash = NETWORK, index = US): SafetyOfKey {
  const { publicKey } = keyOf(index)
  return parseSafetyFile('file', text, {
    genesisHash,
    validatorId: idOf(index),
    publicKey: publicKey.raw,
    verify: (kind, payload, signature) => publicKey.verify(payload, signature, SIGNATURE_CONTEXTS[kind]),
  })
}

function refusal(run: () => unknown): { code: string; exitCode: number; message: string } {
  try {
    run()
  } catch (error) {
    if (error instanceof NodeError) {
      return { code: error.code, exitCode: error.exitCode, message: error.message }
    }
    throw error
  }
  throw new Error('was accepted')
}

describe('the interchange file', () => {
  it('gives back what went in, byte for byte', () => {
    // A proposal travels as the prepare vote that it is, and its block.
    expect(parse(TEXT)).toEqual(safetyOf({ ...RECORD, proposal: null }, 5))
    expect(parse(formatSafetyFile(NETWORK, safetyOf(EMPTY_SAFETY_RECORD)))).toEqual(
      safetyOf(EMPTY_SAFETY_RECORD),
    )
  })

  it('has integers as strings, bytes as hex, and names its format', () => {
    const { metadata, data } = JSON.parse(TEXT)
    expect(metadata).toEqual({
      interchange_format: 'hypermesh-safety',
      interchange_format_version: '2',
      genesis_hash: NETWORK,
    })
    expect(data[0].validator_id).toBe(idOf(US))
    expect(data[0].signed.pre_commit).toMatchObject({ epoch: '0', view: '11', height: '11' })
    expect(data[0].signed.timeout).toMatchObject({ view: '10', high_qc_view: '9' })
    expect(data[0].signed.prepare.signature).toMatch(/^[0-9a-f]{6618}$/)
    const leaves: unknown[] = []
    JSON.stringify(data, (_, value) => {
      if (typeof value !== 'object') leaves.push(typeof value)
      return value
    })
    expect(new Set(leaves)).toEqual(new Set(['string']))
  })

  it('takes a mark without its bytes for "nothing up to here"', () => {
    const file = JSON.parse(TEXT)
    file.data[0].signed.prepare = { epoch: '0', view: '40' }
    const { record, refuseUpToView } = parse(JSON.stringify(file))
    expect(record.prepare).toBeNull()
    expect(record.preCommit).toEqual(RECORD.preCommit)
    expect(refuseUpToView).toBe(40)
  })

  it('is of one network and one key', () => {
    expect(refusal(() => parse(TEXT, 'ab'.repeat(32) as GenesisHash))).toMatchObject({
      code: 'E_SAFETY_FILE_NETWORK',
      exitCode: 65,
    })
    expect(refusal(() => parse(TEXT, NETWORK, 2))).toMatchObject({ code: 'E_SAFETY_FILE_KEY', exitCode: 77 })
  })

  // biome-ignore lint/suspicious/noExplicitAny: a file that is broken on purpose has no type
  it.each<[string, (file: any) => void, string, string]>([
    [
      'version',
      (f) => {
        f.metadata.interchange_format_version = '3'
      },
      'E_SAFETY_FILE_VERSION',
      'version 3',
    ],
    [
      'older version, which had a slot for proposals',
      (f) => {
        f.metadata.interchange_format_version = '1'
        f.data[0].signed.proposal = f.data[0].signed.prepare
      },
      'E_SAFETY_FILE_VERSION',
      'version 1',
    ],
    [
      'slot',
      (f) => {
        f.data[0].signed.proposal = f.data[0].signed.prepare
      },
      'E_SAFETY_FILE',
      'signed: there is no field proposal',
    ],
    [
      'format',
      (f) => {
        f.metadata.interchange_format = 'eip-3076'
      },
      'E_SAFETY_FILE',
      '"eip-3076"',
    ],
    [
      'number',
      (f) => {
        f.data[0].signed.prepare.view = 12
      },
      'E_SAFETY_FILE',
      'signed.prepare.view',
    ],
    [
      'figure',
      (f) => {
        f.data[0].signed.prepare.view = '13'
      },
      'E_SAFETY_FILE',
      'view is not',
    ],
    [
      'block',
      (f) => {
        f.data[0].signed.prepare.block_hash = BLOCK_B
      },
      'E_SAFETY_FILE',
      'block_hash is not',
    ],
    [
      'kind',
      (f) => {
        f.data[0].signed.prepare = f.data[0].signed.timeout
      },
      'E_SAFETY_FILE',
      'is a timeout',
    ],
    [
      'field',
      (f) => {
        f.data[0].signed.commit = {}
      },
      'E_SAFETY_FILE',
      'signed: there is no field commit',
    ],
    [
      'block bytes',
      (f) => {
        f.data[0].blocks = ['00']
      },
      'E_SAFETY_FILE',
      'blocks.0',
    ],
    [
      'lock',
      (f) => {
        f.data[0].lock.certificate = '00'
      },
      'E_SAFETY_FILE',
      'lock',
    ],
    [
      'lock view',
      (f) => {
        f.data[0].lock.view = '1'
      },
      'E_SAFETY_FILE',
      'another view',
    ],
    ['second entry', (f) => f.data.push(f.data[0]), 'E_SAFETY_FILE', '2 entries'],
    [
      'nothing',
      (f) => {
        f.data = []
      },
      'E_SAFETY_FILE_KEY',
      'none',
    ],
  ])('is refused whole for a wrong %s', (_, spoil, code, text) => {
    const file = JSON.parse(TEXT)
    spoil(file)
    expect(refusal(() => parse(JSON.stringify(file)))).toMatchObject({
      code,
      message: expect.stringContaining(text),
    })
  })

  it('is refused when its signatures are of another key', () => {
    const theirs = { ...EMPTY_SAFETY_RECORD, prepare: signedVote(2, 'prepare', 7) }
    const text = formatSafetyFile(NETWORK, safetyOf(theirs))
    expect(refusal(() => parse(text)).message).toContain('not by this key')
  })

  it('never throws anything but a refusal, however it is damaged (300 seeds)', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed)
      const at = Math.floor(random() * TEXT.length)
      const damaged =
        random() < 0.3
          ? TEXT.slice(0, at)
          : TEXT.slice(0, at) + String.fromCharCode(33 + Math.floor(random() * 90)) + TEXT.slice(at + 1)
      try {
        const { record, refuseUpToView } = parse(damaged)
        // What is still accepted says no less than before.
        expect(record.prepare?.view ?? refuseUpToView).toBeGreaterThanOrEqual(12)
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(NodeError)
      }
    }
  })
})

describe('two records of one key', () => {
  const state = (record: SafetyRecord, mark = 0) => ({ record, refuseUpToView: asView(mark) })
  const merge = (a: ReturnType<typeof state>, b: ReturnType<typeof state>) => mergeSafety(NETWORK, a, b)
  const newer = recordAt(US, 20)

  it('become the newest of each kind, whichever was there first', () => {
    for (const [a, b] of [
      [RECORD, newer],
      [newer, RECORD],
    ] as const) {
      const { record } = merge(state(a), state(b))
      expect({ ...record, blocks: [] }).toEqual({ ...newer, blocks: [] })
      expect(record.blocks).toHaveLength(2)
    }
  })

  it('keep what only one of them has, the higher mark, and each block once', () => {
    const prepareOnly = { ...EMPTY_SAFETY_RECORD, prepare: signedVote(US, 'prepare', 30) }
    const { record, refuseUpToView } = merge(state(RECORD, 3), state(prepareOnly, 9))
    expect(record).toEqual({ ...RECORD, prepare: prepareOnly.prepare })
    expect(refuseUpToView).toBe(9)
    expect(merge(state(RECORD), state(RECORD)).record).toEqual(RECORD)
  })

  it('are never joined below either of them (200 seeds)', () => {
    const records = Array.from({ length: 6 }, (_, i) => recordAt(US, 5 + 3 * i))
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed)
      const pick = (): SafetyRecord => {
        const of = (): SafetyRecord => records[Math.floor(random() * records.length)] as SafetyRecord
        const some = <T>(value: T): T | null => (random() < 0.7 ? value : null)
        return {
          ...EMPTY_SAFETY_RECORD,
          proposal: some(of().proposal),
          prepare: some(of().prepare),
          preCommit: some(of().preCommit),
          timeout: some(of().timeout),
          highQc: some(of().highQc),
        }
      }
      const [a, b] = [pick(), pick()]
      const { record } = merge(state(a), state(b))
      for (const name of ['proposal', 'prepare', 'preCommit', 'timeout', 'highQc'] as const) {
        const views = [a, b].map((from) => from[name]?.view ?? -1)
        expect(record[name]?.view ?? -1, `seed ${seed} ${name}`).toBe(Math.max(...views))
      }
    }
  })

  it.each<[string, Partial<SafetyRecord>]>([
    ['prepare', { prepare: signedVote(US, 'prepare', 12, BLOCK_B) }],
    ['pre-commit', { preCommit: signedVote(US, 'pre-commit', 11, BLOCK_B) }],
    ['timeout', { timeout: signedTimeout(US, 10, 2) }],
  ])('with two contents for one %s are not joined', (kind, other) => {
    const run = () => merge(state(RECORD), state({ ...EMPTY_SAFETY_RECORD, ...other }))
    expect(refusal(run)).toMatchObject({
      code: 'E_SAFETY_CONFLICT',
      exitCode: 77,
      message: expect.stringContaining(kind),
    })
  })
})
