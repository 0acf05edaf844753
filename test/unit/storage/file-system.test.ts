/** The file system of the node behind its port. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nodeFileSystem, writeFully } from '../../../src/storage/file-system.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const newFile = async () => {
  const path = join(temporaryDirectory(), 'file')
  return { path, file: await nodeFileSystem.createFile(path) }
}

it('writes, makes durable and closes', async () => {
  const { path, file } = await newFile()
  await writeFully(file, Buffer.from('hello'), 3)
  await file.datasync()
  await file.sync()
  await file.close()
  expect(readFileSync(path)).toEqual(Buffer.from('\0\0\0hello'))
})

it('a sync that is under way is done before the file is closed', async () => {
  const { file } = await newFile()
  await writeFully(file, Buffer.alloc(1024 * 1024, 1), 0)
  const done: string[] = []
  const synced = file.datasync().then(() => done.push('synced'))
  const closed = file.close().then(() => done.push('closed'))
  await Promise.all([synced, closed])
  expect(done).toEqual(['synced', 'closed'])
})

it('a closed file makes nothing durable', async () => {
  const { file } = await newFile()
  await file.close()
  await expect(file.datasync()).rejects.toThrow()
})
