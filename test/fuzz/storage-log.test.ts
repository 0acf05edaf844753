/** Random damage to the bytes of a safety log: it opens to everything that was durable, or not at all. */
import { expect, it } from 'vitest'
import { SafetyLog } from '../../src/storage/safety-log.ts'
import type { GenesisHash, ValidatorId } from '../../src/types/primitives.ts'
import { FaultFileSystem } from '../support/fault-fs.ts'
import { seededRandom } from '../support/seeded-random.ts'

const PATH = '/keys/validator.log'
const DURABLE = 6
const REFUSALS = ['E_SAFETY_RECORD_CORRUPT', 'E_SAFETY_RECORD_SCHEMA', 'E_SAFETY_RECORD_FOREIGN']

const options = (fileSystem: FaultFileSystem) => ({
  path: PATH,
  fileSystem,
  binding: { validatorId: '11'.repeat(32) as ValidatorId, genesisHash: '22'.repeat(32) as GenesisHash },
  segmentBytes: 65_536,
  onFatal: (error: Error) => {
    throw error
  },
})

function record(number: number): Uint8Array {
  const random = seededRandom(number)
  return Uint8Array.from({ length: 200 + 1_500 * number }, (_, i) => (i === 0 ? number : 1 + random() * 255))
}

/** A log of a snapshot and records, and where its last frame, which is not durable yet, begins and ends. */
async function makeLog(): Promise<{ bytes: Uint8Array; tail: { start: number; end: number } }> {
  const fileSystem = new FaultFileSystem()
  const log = await SafetyLog.create(options(fileSystem))
  log.append(record(1))
  await log.compact(record(1))
  for (let number = 2; number <= DURABLE; number++) {
    log.append(record(number))
    await log.flush()
  }
  const start = log.bytesUsed
  log.append(record(DURABLE + 1))
  await log.flush()
  const end = log.bytesUsed
  await log.close()
  return { bytes: fileSystem.contentOf(PATH) as Uint8Array, tail: { start, end } }
}

/** How many records the bytes replay to, or the code they are refused with. */
async function openBytes(bytes: Uint8Array): Promise<number | string> {
  const fileSystem = new FaultFileSystem()
  fileSystem.plant(PATH, bytes)
  try {
    const { log, replay } = await SafetyLog.open(options(fileSystem))
    const payloads = [replay.snapshot ?? new Uint8Array(0), ...replay.records]
    expect(payloads).toEqual(payloads.map((_, i) => record(i + 1)))
    await log.close()
    return payloads.length
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

it('never loses or changes a durable record in silence, whatever bytes are changed', async () => {
  const { bytes, tail } = await makeLog()
  expect(await openBytes(bytes)).toBe(DURABLE + 1)
  const outcomes = new Map<number | string, number>()
  for (let seed = 1; seed <= 1_500; seed++) {
    const random = seededRandom(seed)
    const damaged = bytes.slice()
    const changes = 1 + Math.floor(random() * 4)
    for (let i = 0; i < changes; i++) {
      const at = Math.floor(random() * (tail.end + 4_096))
      damaged[at] = (damaged[at] ?? 0) ^ (1 + Math.floor(random() * 255))
    }
    const outcome = await openBytes(damaged)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    // A change of bytes that all arrived is not a torn write: it opens whole (padding was hit) or not at all.
    expect([DURABLE + 1, ...REFUSALS], `seed ${seed}`).toContain(outcome)
  }
  expect(outcomes.get('E_SAFETY_RECORD_CORRUPT')).toBeGreaterThan(500)
  expect(outcomes.get(DURABLE + 1)).toBeGreaterThan(50)
})

it('drops the last write when sectors of it never arrived, and only that', async () => {
  const { bytes, tail } = await makeLog()
  const outcomes = new Map<number | string, number>()
  for (let seed = 1; seed <= 500; seed++) {
    const random = seededRandom(seed)
    const torn = bytes.slice()
    let missing = 0
    for (let at = tail.start; at < tail.end; at += 512) {
      if (random() < 0.3) continue
      torn.fill(0, at, at + 512)
      missing++
    }
    const outcome = await openBytes(torn)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    expect(missing === 0 ? [DURABLE + 1] : [DURABLE, DURABLE + 1], `seed ${seed}`).toContain(outcome)
  }
  expect(outcomes.get(DURABLE)).toBeGreaterThan(400)
})

it('drops the last write when it was cut off at any byte', async () => {
  const { bytes, tail } = await makeLog()
  for (let seed = 1; seed <= 500; seed++) {
    const cut = tail.start + Math.floor(seededRandom(seed)() * (tail.end - tail.start))
    const outcome = await openBytes(bytes.slice().fill(0, cut, tail.end))
    expect([DURABLE, DURABLE + 1], `seed ${seed}`).toContain(outcome)
  }
})

it('refuses a log of which anything before the last write is gone', async () => {
  const { bytes, tail } = await makeLog()
  for (let seed = 1; seed <= 500; seed++) {
    const random = seededRandom(seed)
    const from = Math.floor((random() * tail.start) / 512) * 512
    const length = 512 * (1 + Math.floor(random() * 8))
    const to = Math.min(from + length, tail.start)
    const gone = bytes.slice().fill(0, from, to)
    const outcome = await openBytes(gone)
    const isPadding = gone.every((byte, i) => byte === bytes[i])
    expect(isPadding ? [DURABLE + 1] : REFUSALS, `seed ${seed}`).toContain(outcome)
  }
})

it('refuses what is no log at all', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed)
    const bytes = Uint8Array.from({ length: Math.floor(random() * 20_000) }, () => random() * 256)
    expect(await openBytes(bytes), `seed ${seed}`).toBe('E_SAFETY_RECORD_CORRUPT')
  }
})
