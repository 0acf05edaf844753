/** The data directory: made in order, opened only when it is whole and of the right network. */

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  checkNetwork,
  createDataDirectory,
  dataDirectoryAt,
  defaultDataHome,
  isInitialised,
  openDataDirectory,
  sealDataDirectory,
} from '../../../src/config/data-directory.ts'
import {
  isRunning,
  type RunInfo,
  readRunInfo,
  removeRunInfo,
  writeRunInfo,
} from '../../../src/config/run-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypermesh-data-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the data directory', () => {
  it('is a node only once it is sealed', () => {
    const path = join(folder, 'a', 'b')
    const directory = createDataDirectory(path)
    expect(isInitialised(directory)).toBe(false)
    expect(() => openDataDirectory(path)).toThrow(
      expect.objectContaining({ code: 'E_DATA_DIR_MISSING', exitCode: 73 }),
    )
    createDataDirectory(path)

    sealDataDirectory(directory, 'dev', 'abcd')
    expect(readFileSync(directory.version, 'utf8')).toBe('schema=1 network=dev genesis=abcd\n')
    expect(openDataDirectory(path)).toEqual({
      directory,
      version: { schema: 1, network: 'dev', genesis: 'abcd' },
    })
    expect(() => createDataDirectory(path)).toThrow(
      expect.objectContaining({ code: 'E_DATA_DIR_EXISTS', exitCode: 73 }),
    )
  })

  it('that holds nodes names one of them', () => {
    const [second] = ['node-1', 'node-0'].map((name) => createDataDirectory(join(folder, name)))
    if (second !== undefined) sealDataDirectory(second, 'dev', 'abcd')
    expect(() => openDataDirectory(folder)).toThrow(
      expect.objectContaining({
        code: 'E_DATA_DIR_MISSING',
        advice: expect.objectContaining({ fix: `name one of them, as in --data ${folder}/node-1` }),
      }),
    )
  })

  it('says of a file that it is one, and not to give it to another user', () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'x')
    expect(() => openDataDirectory(path)).toThrow(
      expect.objectContaining({
        code: 'E_DATA_DIR_MISSING',
        exitCode: 73,
        advice: expect.objectContaining({
          why: 'it is a file, not a folder',
          fix: expect.stringContaining('name the folder of a node'),
        }),
      }),
    )
  })

  it('keeps others out', () => {
    const directory = createDataDirectory(join(folder, 'a'))
    sealDataDirectory(directory, 'dev', 'abcd')
    for (const path of [directory.root, directory.keys, directory.safety, directory.tls]) {
      expect(statSync(path).mode & 0o777).toBe(0o700)
    }
    expect(statSync(directory.version).mode & 0o777).toBe(0o600)
  })

  it('keeps the record of what a key signed beside the key', () => {
    const { keys, safety } = dataDirectoryAt(folder)
    expect(safety.startsWith(keys)).toBe(true)
  })

  it.each([
    ['schema=9 network=dev genesis=abcd\n', 'E_DATA_DIR_SCHEMA'],
    ['hello\n', 'E_DATA_DIR_VERSION'],
    ['', 'E_DATA_DIR_VERSION'],
  ])('refuses VERSION %j with %s (65)', (text, code) => {
    writeFileSync(join(folder, 'VERSION'), text)
    expect(() => openDataDirectory(folder)).toThrow(expect.objectContaining({ code, exitCode: 65 }))
  })

  it('refuses another network by name', () => {
    const directory = createDataDirectory(folder)
    const version = { schema: 1, network: 'dev', genesis: 'abcd' }
    expect(() => checkNetwork(directory, version, 'dev', 'abcd')).not.toThrow()
    expect(() => checkNetwork(directory, version, 'test', 'abcd')).toThrow(/network dev/)
    expect(() => checkNetwork(directory, version, 'dev', 'ef01')).toThrow(
      expect.objectContaining({ code: 'E_DATA_DIR_NETWORK', exitCode: 65 }),
    )
  })

  it('says when it cannot be written', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => createDataDirectory(join(folder, 'file', 'x'))).toThrow(
      expect.objectContaining({ code: 'E_DATA_DIR_WRITE', exitCode: 73 }),
    )
  })

  it('lies where XDG says, unless that is not absolute', () => {
    expect(defaultDataHome({ XDG_DATA_HOME: '/x' })).toBe('/x/hypermesh')
    expect(defaultDataHome({ XDG_DATA_HOME: 'x' })).toMatch(/\/\.local\/share\/hypermesh$/)
    expect(defaultDataHome({})).toMatch(/\/\.local\/share\/hypermesh$/)
  })
})

describe('run.json', () => {
  const info: RunInfo = {
    pid: process.pid,
    startedAt: '2026-01-01T00:00:00.000Z',
    version: '0.1.0',
    addresses: {
      p2p: ['/ip4/127.0.0.1/tcp/1'],
      ca: 'https://[::1]:8080',
      api: 'http://127.0.0.1:1',
      metrics: 'http://127.0.0.1:2',
      stoq: 'stoq://[::1]:9292',
    },
  }

  it('comes back as it was written, and goes', () => {
    const directory = createDataDirectory(folder)
    expect(readRunInfo(directory)).toBeUndefined()
    writeRunInfo(directory, info)
    expect(readRunInfo(directory)).toEqual(info)
    expect(isRunning(info)).toBe(true)
    removeRunInfo(directory)
    expect(readRunInfo(directory)).toBeUndefined()
  })

  it.each(['', '{', '{}', '{"pid":"x"}', '[]'])('is nothing when it is %j', (text) => {
    const directory = createDataDirectory(folder)
    writeFileSync(directory.run, text)
    chmodSync(directory.run, 0o600)
    expect(readRunInfo(directory)).toBeUndefined()
  })
})
