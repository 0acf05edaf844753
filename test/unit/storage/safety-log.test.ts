/** The safety log over a file system that fails at every single call, and what it refuses to open. */
import { describe, expect, it } from 'vitest'
import { SafetyLog, type SafetyLogBinding, type SafetyReplay } from '../../../src/storage/safety-log.ts'
import { readSafetyLog } from '../../../src/storage/safety-replay.ts'
import type { StorageError } from '../../../src/storage/storage-error.ts'
import type { GenesisHash, ValidatorId } from '../../../src/types/primitives.ts'
import { type Fault, FaultFileSystem, type Survival } from '../../support/fault-fs.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const PATH = '/keys/protection.log'
const BINDING: SafetyLogBinding = {
  validatorId: '11'.repeat(32) as ValidatorId,
  genesisHash: '22'.repeat(32) as GenesisHash,
}
const SEGMENT = 16_384

interface Opened {
  readonly log: SafetyLog
  readonly replay: SafetyReplay
  readonly fatal: StorageError[]
}

function optionsOver(fileSystem: FaultFileSystem, fatal: StorageError[], binding = BINDING) {
  return {
    path: PATH,
    binding,
    fileSystem,
    segmentBytes: SEGMENT,
    onFatal: (error: StorageError) => void fatal.push(error),
  }
}

async function create(fileSystem: FaultFileSystem): Promise<Omit<Opened, 'replay'>> {
  const fatal: StorageError[] = []
  return { log: await SafetyLog.create(optionsOver(fileSystem, fatal)), fatal }
}

async function open(fileSystem: FaultFileSystem, binding = BINDING): Promise<Opened> {
  const fatal: StorageError[] = []
  return { ...(await SafetyLog.open(optionsOver(fileSystem, fatal, binding))), fatal }
}

/** A record that says which one it is, in front of bytes that compress to nothing and hold no zero sector. */
function record(number: number, length = 700): Uint8Array {
  const bytes = new Uint8Array(length)
  const random = seededRandom(number)
  for (let i = 0; i < length; i++) bytes[i] = 1 + Math.floor(random() * 255)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

/** The numbers that a log stands for: a snapshot of k stands for 1 to k. */
function numbersIn(replay: SafetyReplay): number[] {
  const covered = replay.snapshot === null ? 0 : numberOf(replay.snapshot)
  return [...Array.from({ length: covered }, (_, i) => i + 1), ...replay.records.map(numberOf)]
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

/** One life of a log: what was asked of it, and what it promised. */
class Script {
  appended = 0
  promised = 0
  isCreated = false

  async run(fileSystem: FaultFileSystem): Promise<void> {
    const { log } = await create(fileSystem)
    this.isCreated = true
    await this.#flush(log, 1)
    await this.#flush(log, 2)
    const covers = this.appended
    const compacted = log.compact(record(covers))
    // Appended while the new segment is laid out: behind the snapshot, in whichever segment.
    await Promise.all([this.#flush(log, 2), compacted])
    // A record larger than what is left of the segment makes it grow.
    await this.#flush(log, 1, 20_000)
    await this.#flush(log, 3)
    await log.close()
    await this.#again(fileSystem)
  }

  async #again(fileSystem: FaultFileSystem): Promise<void> {
    const { log, replay } = await open(fileSystem)
    expect(numbersIn(replay)).toEqual(upTo(this.appended))
    await this.#flush(log, 2)
    await log.close()
  }

  async #flush(log: SafetyLog, count: number, length?: number): Promise<void> {
    for (let i = 0; i < count; i++) log.append(record(++this.appended, length))
    const upTo = this.appended
    await log.flush()
    this.promised = Math.max(this.promised, upTo)
  }
}

describe('the safety log', () => {
  it('replays what was flushed, in order, across openings and compactions', async () => {
    const fileSystem = new FaultFileSystem()
    const script = new Script()
    await script.run(fileSystem)
    const { replay, log } = await open(fileSystem)
    expect(numbersIn(replay)).toEqual(upTo(script.appended))
    expect(replay.records.at(-1)).toEqual(record(script.appended))
    await log.close()
  })

  it('writes what one turn of the loop queued with one write and one sync, and shares the next', async () => {
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    const before = fileSystem.calls.length
    const flushes = [1, 2, 3].map((number) => {
      log.append(record(number))
      return log.flush()
    })
    await new Promise((resolve) => setImmediate(resolve))
    for (const number of [4, 5]) {
      log.append(record(number))
      flushes.push(log.flush())
    }
    await Promise.all(flushes)
    expect(fileSystem.calls.slice(before)).toEqual(['write', 'datasync', 'write', 'datasync'])
    await log.flush()
    expect(fileSystem.calls.length).toBe(before + 4)
    const { replay } = await open(fileSystem.afterPowerCut('none'))
    expect(numbersIn(replay)).toEqual(upTo(5))
  })

  it('tells of every sync and what it took', async () => {
    const told: number[] = []
    const fileSystem = new FaultFileSystem()
    const log = await SafetyLog.create({
      ...optionsOver(fileSystem, []),
      onSync: (seconds) => void told.push(seconds),
    })
    for (const number of [1, 2]) {
      log.append(record(number))
      await log.flush()
    }
    expect(told).toHaveLength(2)
    await log.compact(record(2))
    expect(told).toHaveLength(3)
    for (const seconds of told) expect(seconds).toBeGreaterThan(0)
    await log.close()
  })

  it('resolves a flush only after the sync that covers it', async () => {
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    log.append(record(1))
    const before = fileSystem.calls.length
    let callsAtFlush: string[] = []
    await log.flush().then(() => {
      callsAtFlush = fileSystem.calls.slice(before)
    })
    expect(callsAtFlush).toEqual(['write', 'datasync'])
  })

  it('covers with a snapshot what was appended and not yet flushed', async () => {
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    for (const number of [1, 2, 3]) log.append(record(number))
    // The flush reaches the old segment while the new one is laid out: none of the three may come twice.
    const compacted = log.compact(record(3))
    await log.flush()
    await compacted
    log.append(record(4))
    await log.flush()
    const { replay } = await open(fileSystem.afterPowerCut('none'))
    expect(replay.snapshot).toEqual(record(3))
    expect(replay.records.map(numberOf)).toEqual([4])
  })

  it('asks for compaction when most of a segment is used, and is content after it', async () => {
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    expect(log.wantsCompaction).toBe(false)
    for (let number = 1; !log.wantsCompaction; number++) {
      log.append(record(number))
      await log.flush()
    }
    expect(log.bytesUsed).toBeGreaterThan(SEGMENT * 0.75)
    await log.compact(record(9))
    expect(log.wantsCompaction).toBe(false)
    // A snapshot as large as a segment would be no smaller after compacting it again.
    await log.compact(record(9, 2 * SEGMENT))
    expect(log.wantsCompaction).toBe(false)
    await log.close()
    const again = await open(fileSystem)
    expect(again.replay.snapshot).toEqual(record(9, 2 * SEGMENT))
    expect(again.log.wantsCompaction).toBe(false)
  })

  it('does not see a caller change the bytes after appending them', async () => {
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    const bytes = record(1)
    log.append(bytes)
    bytes.fill(0)
    await log.flush()
    expect(numbersIn((await open(fileSystem)).replay)).toEqual([1])
  })

  it('refuses every use after closing', async () => {
    const { log, fatal } = await create(new FaultFileSystem())
    await log.close()
    expect(() => log.append(record(1))).toThrow('is closed')
    await expect(log.flush()).rejects.toMatchObject({ code: 'E_SAFETY_CLOSED' })
    await expect(log.compact(record(1))).rejects.toMatchObject({ code: 'E_SAFETY_CLOSED' })
    expect(fatal).toEqual([])
  })
})

describe('a failed disk call', () => {
  it('poisons the log: everything waiting and everything later rejects, and the node is told once', async () => {
    const healthy = new FaultFileSystem()
    await create(healthy)
    for (const offset of [0, 1]) {
      const fileSystem = new FaultFileSystem(healthy.calls.length + offset, 'fail')
      const { log, fatal } = await create(fileSystem)
      log.append(record(1))
      const first = log.flush()
      const second = log.flush()
      await expect(first).rejects.toMatchObject({ code: 'E_SAFETY_WRITE', exitCode: 73 })
      await expect(second).rejects.toMatchObject({ code: 'E_SAFETY_WRITE' })
      expect(() => log.append(record(2))).toThrow(/EIO/)
      await expect(log.flush()).rejects.toMatchObject({ code: 'E_SAFETY_WRITE' })
      await expect(log.compact(record(2))).rejects.toMatchObject({ code: 'E_SAFETY_WRITE' })
      expect(fatal.map(({ code }) => code)).toEqual(['E_SAFETY_WRITE'])
      expect(fatal[0]?.advice.fix).toMatch(/disk/)
    }
  })
})

describe('a fault at every call', () => {
  const faults: Fault[] = ['crash-before', 'crash-after', 'torn', 'fail', 'short']
  const endings: (Survival | 'process end')[] = ['none', 'all', 'some', 'process end']

  for (const fault of faults) {
    it(`loses nothing that was promised and invents nothing: ${fault}`, async () => {
      const healthy = new FaultFileSystem()
      await new Script().run(healthy)
      expect(healthy.calls.length).toBeGreaterThan(30)
      let promises = 0
      for (let at = 0; at < healthy.calls.length; at++) {
        for (const ending of endings) {
          for (const seed of ending === 'some' ? [1, 2, 3] : [1]) {
            promises += await lifeAndDeath(at, fault, ending, seed)
          }
        }
      }
      expect(promises).toBeGreaterThan(1_000)
    })
  }

  async function lifeAndDeath(at: number, fault: Fault, ending: Survival | 'process end', seed: number) {
    const what = `call ${at}, ${fault}, ${ending}, seed ${seed}`
    const fileSystem = new FaultFileSystem(at, fault, seededRandom(1_000 * at + seed))
    const script = new Script()
    const error = await script.run(fileSystem).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(fileSystem.hasFaulted, what).toBe(true)
    if (fault === 'short') expect(error, what).toBe(null)
    else if (error !== null) expect(error, what).toHaveProperty('code')

    const next = ending === 'process end' ? fileSystem.afterProcessEnd() : fileSystem.afterPowerCut(ending)
    const first = await open(next).catch((thrown: StorageError) => thrown)
    if (!('log' in first)) {
      // Only a log whose making was never confirmed may be missing; it is never damaged.
      expect([what, first.code, script.isCreated]).toEqual([what, 'E_SAFETY_RECORD_MISSING', false])
      return 0
    }
    const numbers = numbersIn(first.replay)
    expect(numbers.length, what).toBeGreaterThanOrEqual(script.promised)
    expect(numbers.length, what).toBeLessThanOrEqual(script.appended)
    expect(numbers, what).toEqual(upTo(numbers.length))

    // What was replayed has been acted upon, so it must outlive the next power cut, and the log must go on.
    const more = numbers.length + 1
    first.log.append(record(more))
    await first.log.flush()
    const second = await open(next.afterPowerCut('none'))
    expect(numbersIn(second.replay), what).toEqual(upTo(more))
    return script.promised
  }
})

describe('a log made with what was signed elsewhere', () => {
  it('holds it and goes on from there', async () => {
    const fileSystem = new FaultFileSystem()
    const log = await SafetyLog.create(optionsOver(fileSystem, []), record(3))
    log.append(record(4))
    await log.flush()
    const { replay } = await open(fileSystem.afterPowerCut('none'))
    expect(replay.snapshot).toEqual(record(3))
    expect(replay.records.map(numberOf)).toEqual([4])
  })

  it('is there with it or not at all, whichever call fails', async () => {
    const healthy = new FaultFileSystem()
    await SafetyLog.create(optionsOver(healthy, []), record(3))
    let whole = 0
    for (let at = 0; at < healthy.calls.length; at++) {
      for (const fault of ['crash-before', 'crash-after', 'torn', 'fail'] as const) {
        for (const survival of ['none', 'all', 'some'] as const) {
          const fileSystem = new FaultFileSystem(at, fault, seededRandom(at))
          await SafetyLog.create(optionsOver(fileSystem, []), record(3)).catch(() => null)
          const left = await open(fileSystem.afterPowerCut(survival)).catch((error: StorageError) => error)
          const what = `call ${at}, ${fault}, ${survival}`
          if ('log' in left) expect(numbersIn(left.replay), what).toEqual([1, 2, 3])
          else expect(left.code, what).toBe('E_SAFETY_RECORD_MISSING')
          if ('log' in left) whole++
        }
      }
    }
    expect(whole).toBeGreaterThan(5)
  })
})

describe('opening', () => {
  it('refuses a missing log and says what to do', async () => {
    await expect(open(new FaultFileSystem())).rejects.toMatchObject({
      code: 'E_SAFETY_RECORD_MISSING',
      exitCode: 77,
      advice: { fix: expect.stringContaining('--i-have-never-signed') },
    })
  })

  it('never makes a log where one is', async () => {
    const fileSystem = new FaultFileSystem()
    await create(fileSystem)
    await expect(create(fileSystem)).rejects.toMatchObject({ code: 'E_SAFETY_RECORD_EXISTS', exitCode: 77 })
  })

  it.each([
    ['validator', { ...BINDING, validatorId: '33'.repeat(32) as ValidatorId }],
    ['network', { ...BINDING, genesisHash: '44'.repeat(32) as GenesisHash }],
  ])('refuses the log of another %s by name', async (what, binding) => {
    const fileSystem = new FaultFileSystem()
    await create(fileSystem)
    const calls = fileSystem.calls.length
    const refused = await open(fileSystem, binding).catch((error: StorageError) => error)
    expect(refused).toMatchObject({ code: 'E_SAFETY_RECORD_FOREIGN', exitCode: 77 })
    const owner = what === 'validator' ? BINDING.validatorId : BINDING.genesisHash
    expect((refused as StorageError).message).toContain(`belongs to ${what} ${owner}`)
    expect(fileSystem.calls.slice(calls)).toEqual(['readFile'])
  })

  it('refuses a file it cannot read as its own', async () => {
    const whole = await logOf(3)
    const cases: [string, Uint8Array, string][] = [
      ['empty', new Uint8Array(0), 'E_SAFETY_RECORD_CORRUPT'],
      ['cut short', whole.subarray(0, SEGMENT - 4_096), 'E_SAFETY_RECORD_CORRUPT'],
      ['another file', changed(whole, 0), 'E_SAFETY_RECORD_CORRUPT'],
      ['header changed', changed(whole, 50), 'E_SAFETY_RECORD_CORRUPT'],
      ['first frame changed', changed(whole, 4_096 + 100), 'E_SAFETY_RECORD_CORRUPT'],
      ['last frame changed', changed(whole, 3 * 4_096 + 100), 'E_SAFETY_RECORD_CORRUPT'],
      ['last header changed', changed(whole, 3 * 4_096 + 9), 'E_SAFETY_RECORD_CORRUPT'],
      ['a frame in the middle gone', zeroed(whole, 2 * 4_096, 3 * 4_096), 'E_SAFETY_RECORD_CORRUPT'],
      ['a sector in the middle gone', zeroed(whole, 2 * 4_096, 2 * 4_096 + 512), 'E_SAFETY_RECORD_CORRUPT'],
      ['a frame twice', moved(whole, 2 * 4_096, 3 * 4_096), 'E_SAFETY_RECORD_CORRUPT'],
    ]
    for (const [what, bytes, code] of cases) {
      const fileSystem = new FaultFileSystem()
      fileSystem.plant(PATH, bytes)
      const error = await open(fileSystem).catch((thrown: StorageError) => thrown)
      expect([what, (error as StorageError).code, (error as StorageError).exitCode]).toEqual([what, code, 77])
      expect(fileSystem.contentOf(PATH), what).toEqual(bytes)
    }
  })

  it('drops a torn last frame and nothing else', async () => {
    const whole = await logOf(3, 2_000)
    const at = 3 * 4_096
    const cases: [string, Uint8Array][] = [
      ['its header never arrived', zeroed(whole, at, at + 512)],
      ['a sector in its middle never arrived', zeroed(whole, at + 1_024, at + 1_536)],
      ['cut off in its header', zeroed(whole, at + 10, at + 4_096)],
      ['cut off after its header', zeroed(whole, at + 40, at + 4_096)],
      ['cut off before its last bytes', zeroed(whole, at + 2_030, at + 4_096)],
    ]
    for (const [what, bytes] of cases) {
      const fileSystem = new FaultFileSystem()
      fileSystem.plant(PATH, bytes)
      expect((await readSafetyLog(PATH, fileSystem))?.isTorn, what).toBe(true)
      const { replay, log } = await open(fileSystem)
      expect(numbersIn(replay), what).toEqual([1, 2])
      await log.close()
      expect((await readSafetyLog(PATH, fileSystem))?.isTorn, what).toBe(false)
    }
  })

  it('does not take for its own a frame that a peer put into a payload, or that another segment left', async () => {
    const foreign = await logOf(3)
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    // The smuggled frames lie at aligned offsets of the file: 32 bytes of header and 4 of length before them.
    const payload = new Uint8Array(4_096 - 36 + 2 * 4_096).fill(7)
    payload.set(foreign.subarray(4_096, 3 * 4_096), 4_096 - 36)
    log.append(payload)
    await log.flush()
    await log.close()
    const torn = zeroed(fileSystem.contentOf(PATH) as Uint8Array, 4_096, 4_096 + 512)
    const after = new FaultFileSystem()
    after.plant(PATH, torn)
    expect(numbersIn((await open(after)).replay)).toEqual([])
  })

  async function logOf(count: number, length?: number): Promise<Uint8Array> {
    const fileSystem = new FaultFileSystem()
    const { log } = await create(fileSystem)
    for (let number = 1; number <= count; number++) {
      log.append(record(number, length))
      await log.flush()
    }
    await log.close()
    return fileSystem.contentOf(PATH) as Uint8Array
  }

  function changed(bytes: Uint8Array, at: number): Uint8Array {
    const copy = bytes.slice()
    copy[at] = ((copy[at] ?? 0) + 1) % 256
    return copy
  }

  function zeroed(bytes: Uint8Array, from: number, to: number): Uint8Array {
    return bytes.slice().fill(0, from, to)
  }

  function moved(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const copy = bytes.slice()
    copy.set(bytes.subarray(from, from + 4_096), to)
    return copy
  }
})
