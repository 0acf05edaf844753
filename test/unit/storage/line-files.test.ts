/** Files of lines on a real disk: rotation, how many are kept, what a crash leaves, writes that fail half-way. */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LineFiles, lineFilesIn } from '../../../src/storage/line-files.ts'

let folder: string
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'line-files-')), 'audit')
})
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }))

const open = (filesMax = 0, fileBytesMax = 20) =>
  LineFiles.open({ folder, fileBytesMax, filesMax, lineBytesMax: 64 })

const names = async () => (await readdir(folder)).sort()
const contents = async () =>
  (await Promise.all((await lineFilesIn(folder)).map(({ path }) => readFile(path, 'utf8')))).join('')

describe('lines', () => {
  it('go on in the next file when one is full, named after its first line', async () => {
    const { files, lastLine, tornBytes } = await open()
    expect([lastLine, tornBytes]).toEqual([null, 0])
    for (let i = 1; i <= 5; i++) await files.append(`line ${i}..\n`, i)
    await files.sync()
    await files.close()
    expect(await names()).toEqual([
      'audit-000000000001.jsonl',
      'audit-000000000003.jsonl',
      'audit-000000000005.jsonl',
    ])
    expect(await contents()).toBe('line 1..\nline 2..\nline 3..\nline 4..\nline 5..\n')
  })

  it('go on where they ended when they are opened again', async () => {
    const first = await open(0, 1_000)
    await first.files.append('one\ntwo\n', 1)
    await first.files.close()
    const second = await open(0, 1_000)
    expect(Buffer.from(second.lastLine ?? []).toString()).toBe('two')
    await second.files.append('three\n', 3)
    await second.files.close()
    expect(await contents()).toBe('one\ntwo\nthree\n')
  })

  it.each([
    [0, ['1', '2', '3', '4', '5']],
    [1, ['5']],
    [3, ['3', '4', '5']],
  ])('of no more than %d files are kept', async (filesMax, kept) => {
    const { files } = await open(filesMax)
    for (let i = 1; i <= 5; i++) await files.append(`a line of its own file ${i}\n`, i)
    await files.close()
    expect((await names()).map((name) => name.replace(/\D+0*(\d+)\D+/, '$1'))).toEqual(kept)
  })

  it.each([
    ['half a line', 'one\ntwo\nthr', 'two', 3],
    ['a line but for its end', 'one\ntwo\nthree', 'two', 5],
    ['nothing but half a line', 'thr', null, 3],
    ['zeros', `one\ntwo\n${'\0'.repeat(200_000)}`, 'two', 200_000],
    ['nothing', 'one\ntwo\n', 'two', 0],
    ['one whole line', 'one\n', 'one', 0],
  ])('are cut back to the last whole one: %s', async (_, text, last, torn) => {
    await mkdir(folder)
    await writeFile(join(folder, 'audit-000000000001.jsonl'), text)
    const { files, lastLine, tornBytes } = await open(0, 1_000_000)
    expect([lastLine === null ? null : Buffer.from(lastLine).toString(), tornBytes]).toEqual([last, torn])
    await files.append('next\n', 9)
    await files.close()
    expect(await contents()).toBe(`${text.slice(0, text.lastIndexOf('\n') + 1)}next\n`)
  })

  it('are found in the file before when the newest has no whole one', async () => {
    await mkdir(folder)
    await writeFile(join(folder, 'audit-000000000001.jsonl'), 'one\ntwo\n')
    await writeFile(join(folder, 'audit-000000000003.jsonl'), 'thr')
    const { files, lastLine, tornBytes } = await open()
    expect([Buffer.from(lastLine ?? []).toString(), tornBytes]).toEqual(['two', 3])
    await files.append('three\n', 3)
    await files.close()
    expect(await contents()).toBe('one\ntwo\nthree\n')
  })

  it('take the place of what a write that failed half-way left', async () => {
    const { files } = await open(0, 1_000)
    await files.append('one\n', 1)
    // As if a write of the next two had been cut short by a full disk.
    await appendFile(join(folder, 'audit-000000000001.jsonl'), 'two\nthr')
    await files.append('two\nthree\n', 2)
    await files.close()
    expect(await contents()).toBe('one\ntwo\nthree\n')
  })

  it('that have no place are told of, and go there once they have', async () => {
    const { files } = await open()
    await rm(folder, { recursive: true })
    await expect(files.append('one\n', 1)).rejects.toThrow('ENOENT')
    await mkdir(folder)
    await files.append('one\n', 1)
    await files.close()
    expect(await contents()).toBe('one\n')
  })

  it('pass over other files', async () => {
    await mkdir(folder)
    await writeFile(join(folder, 'notes.txt'), 'x')
    expect(await lineFilesIn(folder)).toEqual([])
    expect(await lineFilesIn(join(folder, 'nowhere'))).toEqual([])
  })
})

it('has an error where a folder cannot be, on a file system that says nothing of why', async () => {
  const opening = LineFiles.open({ folder: '/proc/audit', fileBytesMax: 20, filesMax: 0, lineBytesMax: 64 })
  await expect(opening).rejects.toMatchObject({ code: 'ENOENT' })
})
