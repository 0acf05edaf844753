/** Folders made one by one: their mode, what stands in the way, and a file system that refuses without a reason. */
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolders } from '../../../src/files/make-folders.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

it('makes a folder and those above it for their owner only, and again does nothing', () => {
  const root = temporaryDirectory()
  const folder = join(root, 'a', 'b', 'c')
  makeFolders(folder)
  makeFolders(folder)
  for (const path of [folder, join(root, 'a', 'b'), join(root, 'a')]) {
    expect(statSync(path).mode & 0o777).toBe(0o700)
  }
})

it.each(['file', 'file/below', 'file/below/it'])('names what is no folder in the way of %s', (path) => {
  const root = temporaryDirectory()
  writeFileSync(join(root, 'file'), '')
  expect(() => makeFolders(join(root, path))).toThrow(
    expect.objectContaining({ code: 'ENOTDIR', message: `${join(root, 'file')} is not a folder` }),
  )
  expect(existsSync(join(root, 'file', 'below'))).toBe(false)
})

it('names a link that leads nowhere', () => {
  const link = join(temporaryDirectory(), 'link')
  symlinkSync('/nonexistent/folder', link)
  expect(() => makeFolders(link)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
})

it('returns with an error below /proc, where the recursive form of the runtime never does', () => {
  expect(() => makeFolders('/proc/a/b')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})
