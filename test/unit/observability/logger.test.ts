/** What a log line looks like, who may say what, and what never gets out. */

import { describe, expect, it } from 'vitest'
import { createLogger, type ModuleLogger } from '../../../src/observability/logger.ts'

function capture(
  level: string,
  format: 'human' | 'json' | 'auto',
  isTTY = false,
): { log: ModuleLogger; lines: string[] } {
  const lines: string[] = []
  return { lines, log: createLogger({ level, format, output: { isTTY, write: (line) => lines.push(line) } }) }
}

const parsed = (lines: string[]): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>)

describe('a JSON line', () => {
  it('has time, level, module, message and the fields', () => {
    const { log, lines } = capture('info', 'json')
    log
      .module('p2p')
      .module('gossip')
      .info({ peers: 3, height: 2n ** 63n, hash: Uint8Array.of(1, 255) }, 'peer joined')
    const [line] = parsed(lines)
    expect(line).toMatchObject({
      level: 'info',
      module: 'p2p.gossip',
      msg: 'peer joined',
      peers: 3,
      height: '9223372036854775808',
      hash: '01ff',
    })
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(Object.keys(line ?? {})).not.toContain('pid')
  })

  it('tells an error of the world without its stack and a bug with it', () => {
    const { log, lines } = capture('info', 'json')
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    log.warn({ error: new Error('dial failed', { cause: refused }) }, 'cannot connect')
    const error = parsed(lines)[0]?.['error'] as { stack?: string; cause: { code: string; stack?: string } }
    expect(error.stack).toContain('logger.test.ts')
    expect(error.cause).toEqual({ name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' })
  })

  it.each(['seed', 'secretKey', 'privateKey', 'secret', 'sharedSecret', 'password', 'token'])(
    'never holds a %s',
    (name) => {
      const { log, lines } = capture('debug', 'json')
      log.info({ [name]: 'c0ffee', key: { [name]: 'c0ffee' } }, 'loaded')
      log.info({ [name]: Uint8Array.of(0xc0, 0xff, 0xee) }, 'loaded')
      expect(lines.join('')).not.toContain('c0ffee')
      expect(lines.join('').match(/\[redacted\]/g)).toHaveLength(3)
    },
  )
})

describe('levels', () => {
  it.each<[spec: string, module: string, shown: string[]]>([
    ['info', 'p2p', ['info', 'warn', 'error']],
    ['warn', 'p2p', ['warn', 'error']],
    ['silent', 'p2p', []],
    ['info,p2p=debug', 'p2p', ['debug', 'info', 'warn', 'error']],
    ['info,p2p=debug', 'p2p.gossip', ['debug', 'info', 'warn', 'error']],
    ['info,p2p=debug', 'p2pish', ['info', 'warn', 'error']],
    ['warn,p2p=debug,p2p.gossip=error', 'p2p.gossip', ['error']],
    ['info,p2p=silent', 'p2p', []],
  ])('%s for %s', (spec, name, shown) => {
    const { log, lines } = capture(spec, 'json')
    const module = log.module(name)
    for (const level of ['debug', 'info', 'warn', 'error'] as const) module[level]({}, 'x')
    expect(parsed(lines).map(({ level }) => level)).toEqual(shown)
  })
})

describe('a human line', () => {
  it('is one line whatever is in the fields', () => {
    const { log, lines } = capture('info', 'human')
    log.module('consensus').info({ height: 12, note: 'two\nlines \u001b[31m', list: [1, 2] }, 'block final')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} info {2}consensus block final height=12 note="two\\nlines \\u001b\[31m" list=\[1,2\]\n$/,
    )
  })

  it('shows the stack of a bug below it', () => {
    const { log, lines } = capture('info', 'human')
    log.error({ error: new Error('no such case') }, 'stopped')
    expect(lines[0]).toMatch(/error stopped error="no such case"\n {4}Error: no such case\n/)
  })

  it.each([
    ['auto', true, false],
    ['auto', false, true],
    ['json', true, true],
    ['human', false, false],
  ] as const)('format %s on a terminal (%s) is JSON: %s', (format, isTTY, isJson) => {
    const { log, lines } = capture('info', format, isTTY)
    log.info({}, 'x')
    expect(lines[0]?.startsWith('{')).toBe(isJson)
  })
})
