/** Whose database is opened and whose is refused, and how LevelDB's failures read. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Level } from 'level'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { genesisHash } from '../../src/codec/genesis.ts'
import { utf8ToBytes } from '../../src/codec/utf8.ts'
import { openNodeStorage } from '../../src/composition/node-storage.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { META } from '../../src/storage/buckets.ts'
import { Database, type DatabaseOptions, READS_PER_SAMPLE } from '../../src/storage/database.ts'
import type { StorageError } from '../../src/storage/storage-error.ts'
import { pathsIn } from '../support/commit-forever.ts'
import { NETWORK, OTHER_GENESIS } from '../support/final-chain.ts'
import { signedDirectory } from '../support/signed-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

async function open(path: string, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const database = await Database.open({ path, network: NETWORK, ...options })
  onTestFinished(() => database.close())
  return database
}

async function refused(path: string, options: Partial<DatabaseOptions> = {}): Promise<StorageError> {
  return await open(path, options).then(
    () => {
      throw new Error('it was opened')
    },
    (error: StorageError) => error,
  )
}

const key = (...bytes: number[]): Uint8Array => Uint8Array.of(0x7f, ...bytes)

describe('a database', () => {
  it('reads what was written, in order, and nothing else', async () => {
    const database = await open(join(temporaryDirectory(), 'db'))
    await database.write([3, 1, 2].map((n) => ({ type: 'put', key: key(n), value: Uint8Array.of(n) })))
    const view = database.view()
    await database.writeRelaxed([{ type: 'del', key: key(2) }])
    expect(database.get(key(1))).toEqual(Uint8Array.of(1))
    expect(database.get(key(2))).toBe(null)
    expect(view.get(key(2))).toEqual(Uint8Array.of(2))
    view.close()
    const range = { gte: key(0), lt: key(9) }
    expect((await database.keys(range)).map((each) => each.at(-1))).toEqual([1, 3])
    const values: number[] = []
    for await (const [, value] of database.scan(range, { reverse: true })) values.push(...value)
    expect(values).toEqual([3, 1])
    for await (const [, value] of database.scan(range, { limit: 1 })) expect(value).toEqual(Uint8Array.of(1))
  })

  it('times every durable batch and a sample of the reads, views included', async () => {
    const seen = { read: 0, commit: 0 }
    const database = await open(join(temporaryDirectory(), 'db'), {
      observe: (operation, seconds) => {
        expect(seconds).toBeGreaterThan(0)
        seen[operation]++
      },
    })
    const { commit } = seen
    await database.write([{ type: 'put', key: key(1), value: Uint8Array.of(1) }])
    await database.writeRelaxed([{ type: 'put', key: key(2), value: Uint8Array.of(2) }])
    expect(seen.commit).toBe(commit + 1)
    const { read } = seen
    const view = database.view()
    for (let i = 0; i < READS_PER_SAMPLE; i++) database.get(key(1))
    for (let i = 0; i < READS_PER_SAMPLE; i++) view.get(key(1))
    view.close()
    expect(seen.read).toBe(read + 2)
  })

  it('tells about how much of the disk its tables take', async () => {
    const database = await open(join(temporaryDirectory(), 'db'))
    expect(await database.approximateBytes()).toBe(0)
    const value = randomBytes(300_000)
    await database.write([1, 2, 3].map((n) => ({ type: 'put', key: key(n), value })))
    await database.compact({ gte: key(0), lt: key(9) })
    const bytes = await database.approximateBytes()
    expect(bytes).toBeGreaterThan(800_000)
    expect(bytes).toBeLessThan(1_200_000)
    await database.close()
    await expect(database.approximateBytes()).rejects.toMatchObject({ code: 'E_DB_CLOSED' })
  })

  it.each([
    [1, 0, 2],
    [64, 20, 30],
  ])('of a node with a cache of %i MiB keeps as much of what it read', async (cache, min, max) => {
    const MIB = 2 ** 20
    const opened = vi.spyOn(Level.prototype, 'open')
    onTestFinished(() => opened.mockRestore())
    const { root } = await signedDirectory(join(temporaryDirectory(), 'node'), 0)
    const metrics = createMetrics({ version: 'test', commit: 'test' })
    metrics.stop()
    const storage = await openNodeStorage({
      dataDir: root,
      mlDsa: selectMlDsa65(),
      hasNeverSigned: false,
      config: { cacheBytes: cache * MIB },
      metrics,
      onFatal: (error) => expect.unreachable(String(error)),
    })
    onTestFinished(() => storage.close())
    const { database } = storage
    // LevelDB keeps only blocks that it had to decompress; of others the file is in memory already.
    const value = Buffer.alloc(16_384, 'the same again and again, ')
    const keys = Array.from({ length: 1_536 }, (_, n) => key(n >> 8, n & 255))
    await database.writeRelaxed(keys.map((each) => ({ type: 'put', key: each, value })))
    await database.compact({ gte: key(0), lt: key(99) })
    for (const each of keys) expect(database.get(each)?.length).toBe(value.length)
    const level = opened.mock.contexts[0] as unknown as { getProperty(name: string): string }
    const used = Number(level.getProperty('leveldb.approximate-memory-usage')) / MIB
    expect(used).toBeGreaterThan(min)
    expect(used).toBeLessThan(max)
  })

  it('notices a value that is not what was written', async () => {
    const path = join(temporaryDirectory(), 'db')
    const database = await open(path)
    await database.write([1, 2].map((n) => ({ type: 'put', key: key(n), value: Uint8Array.of(n) })))
    await database.close()
    const level = new Level<Uint8Array, Uint8Array>(path, { keyEncoding: 'view', valueEncoding: 'view' })
    await level.open()
    const sealed = (await level.get(key(1))) as Uint8Array
    await level.batch([
      { type: 'put', key: key(1), value: sealed.map((byte, i) => (i === 0 ? byte ^ 4 : byte)) },
      // Right in itself, and under another key.
      { type: 'put', key: key(2), value: sealed },
      { type: 'put', key: key(3), value: new Uint8Array(2) },
    ])
    await level.close()
    const again = await open(path)
    for (const n of [1, 2, 3]) expect(() => again.get(key(n))).toThrow(/does not match its checksum/)
    expect(() => again.view().get(key(1))).toThrow(/does not match its checksum/)
    const scan = again.scan({ gte: key(0), lt: key(9) })
    await expect(scan.next()).rejects.toMatchObject({ code: 'E_DB_CORRUPT', exitCode: 65 })
  })

  it('is refused by name when it belongs to another network', async () => {
    const path = join(temporaryDirectory(), 'db')
    await (await open(path)).close()
    const other = { network: OTHER_GENESIS.network, genesisHash: genesisHash(OTHER_GENESIS) }
    const error = await refused(path, { network: other })
    expect(error).toMatchObject({ code: 'E_DB_FOREIGN', exitCode: 65 })
    expect(error.message).toContain('belongs to network test (genesis ')
    expect(error.advice.why).toContain('network other')
    // Refusing does not hold the lock.
    await open(path)
  })

  it('is refused when its schema is another', async () => {
    const path = join(temporaryDirectory(), 'db')
    const database = await open(path)
    await database.write([{ type: 'put', key: META.schema, value: utf8ToBytes('99') }])
    await database.close()
    const error = await refused(path)
    expect(error).toMatchObject({ code: 'E_DB_SCHEMA', exitCode: 65 })
    expect(error.message).toContain('schema 99')
  })

  it('is refused while another process has it, naming who that is', async () => {
    const directory = temporaryDirectory()
    const script = join(import.meta.dirname, '../support/commit-forever.ts')
    const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    })
    for await (const line of createInterface(child.stdout)) if (line.startsWith('block')) break
    const path = pathsIn(directory).database
    const named = await refused(path, { holder: () => `pid ${child.pid}` })
    expect(named).toMatchObject({ code: 'E_DATA_DIR_IN_USE', exitCode: 73 })
    expect(named.message).toContain(`in use by pid ${child.pid}`)
    expect((await refused(path)).message).toContain('another process')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await open(path)
  })

  it('is refused when a file of it is missing or rubbish, with the way back', async () => {
    const damages: ((path: string) => void)[] = [
      (path) => writeFileSync(join(path, 'CURRENT'), 'MANIFEST-999999\n'),
      (path) => writeFileSync(join(path, 'CURRENT'), 'rubbish'),
      (path) => {
        for (const name of readdirSync(path)) if (name.startsWith('MANIFEST')) rmSync(join(path, name))
      },
      (path) => {
        for (const name of readdirSync(path)) {
          if (name.startsWith('MANIFEST')) writeFileSync(join(path, name), 'rubbish, and quite a lot of it')
        }
      },
    ]
    for (const damage of damages) {
      const path = join(temporaryDirectory(), 'db')
      await (await open(path)).close()
      damage(path)
      const error = await refused(path)
      expect(error).toMatchObject({ code: 'E_DB_CORRUPT', exitCode: 65 })
      expect(error.advice.fix).toContain(`mv ${path} ${path}.damaged`)
    }
  })

  it('that cannot be made says where', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    expect(await refused(join(file, 'db'))).toMatchObject({ code: 'E_DB_OPEN', exitCode: 73 })
  })

  it('refuses every use after closing', async () => {
    const database = await open(join(temporaryDirectory(), 'db'))
    await database.close()
    expect(() => database.get(key(1))).toThrow('is closed')
    expect(() => database.view()).toThrow('is closed')
    await expect(database.keys({ gte: key(0), lt: key(9) })).rejects.toMatchObject({ code: 'E_DB_CLOSED' })
    await expect(database.write([{ type: 'del', key: key(1) }])).rejects.toMatchObject({ code: 'E_DB_WRITE' })
  })
})
