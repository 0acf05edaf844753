/** What it costs a peer that its gossip is rejected: nothing, until it is too often. */
import type { PeerId } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { Rejections } from '../../../src/network/rejections.ts'

const peer = (name: string): PeerId => ({ toString: () => name }) as PeerId

function rejections() {
  const log: string[] = []
  const clock = { now: 0 }
  const open = new Map([
    ['liar', 2],
    ['other', 1],
    ['validator', 1],
  ])
  const made = new Rejections({
    host: {
      getConnections: (of) =>
        Array.from({ length: open.get(`${of}`) ?? 0 }, () => ({
          abort: () => void log.push(`cut ${of}`),
        })) as never,
    },
    isValidator: (id) => id === 'validator',
    meter: (what, reason) => void log.push(`${what} ${reason}`),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    now: () => clock.now,
  })
  const reject = (name: string, times: number): void => {
    for (let i = 0; i < times; i++) made.rejected(peer(name))
  }
  return { log, clock, open, reject, isBanned: (name: string) => made.isBanned(name) }
}

describe('a peer whose messages are rejected', () => {
  it('loses all its connections with the ninth, and others lose nothing', () => {
    const { log, reject } = rejections()
    reject('liar', 8)
    reject('other', 8)
    expect(log).toEqual([])
    reject('liar', 1)
    const cut = ['connection-given-up rejected', 'cut liar']
    expect(log).toEqual([...cut, ...cut])
  })

  it('gets no other for ten minutes', () => {
    const { clock, reject, isBanned } = rejections()
    reject('liar', 8)
    expect(isBanned('liar')).toBe(false)
    reject('liar', 1)
    reject('other', 1)
    clock.now = 599_999
    expect(isBanned('liar')).toBe(true)
    expect(isBanned('other')).toBe(false)
    clock.now = 600_000
    expect(isBanned('liar')).toBe(false)
  })

  it('begins where it stopped when it comes back', () => {
    const { log, open, reject } = rejections()
    open.delete('liar')
    reject('liar', 20)
    expect(log).toEqual([])
    open.set('liar', 1)
    reject('liar', 1)
    expect(log).toEqual(['connection-given-up rejected', 'cut liar'])
  })

  it('is forgiven one in ten seconds', () => {
    const { log, clock, reject } = rejections()
    reject('liar', 8)
    clock.now = 30_000
    reject('liar', 3)
    expect(log).toEqual([])
    reject('liar', 1)
    expect(log).not.toEqual([])
  })

  it('keeps its place when it is a validator', () => {
    const { log, reject, isBanned } = rejections()
    reject('validator', 100)
    expect(log).toEqual([])
    expect(isBanned('validator')).toBe(false)
  })

  it('is forgotten when a thousand others were rejected since', () => {
    const { log, reject } = rejections()
    reject('liar', 8)
    for (let i = 0; i < 1_024; i++) reject(`peer ${i}`, 1)
    reject('liar', 8)
    expect(log).toEqual([])
  })
})
