import { describe, expect, it } from 'vitest'
import type { Check } from '../../../src/composition/readiness.ts'
import { ReadinessLog, SAY_NOT_READY_AFTER_MS } from '../../../src/composition/readiness-log.ts'
import type { MonotonicMs } from '../../../src/types/primitives.ts'
import { RecordingLogger } from '../../support/network-node.ts'

const OK: Check[] = [
  { name: 'peers', ok: true, reason: null },
  { name: 'quorum', ok: true, reason: null },
]
const ALONE: Check[] = [
  { name: 'peers', ok: false, reason: 'connected to no peer' },
  { name: 'quorum', ok: true, reason: null },
]

function setUp() {
  const logger = new RecordingLogger()
  logger.info = (fields, message) => logger.lines.push({ level: 'info', fields, message })
  let now = 5_000
  const log = new ReadinessLog(logger, () => now as MonotonicMs)
  /** Looks once a second, as a node does. */
  const look = (checks: Check[], seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      log.observe(checks)
      now += 1_000
    }
  }
  return { lines: logger.lines, look }
}

describe('a node that is not ready', () => {
  it('says so once when it lasts, with every failing check, and when it is over', () => {
    const { lines, look } = setUp()
    look(ALONE, SAY_NOT_READY_AFTER_MS / 1_000)
    expect(lines).toEqual([])
    look(ALONE, 60)
    expect(lines).toMatchObject([
      {
        level: 'warn',
        message: 'not ready',
        fields: { forSeconds: SAY_NOT_READY_AFTER_MS / 1_000, because: ['peers: connected to no peer'] },
      },
    ])
    look(OK, 60)
    expect(lines.slice(1)).toMatchObject([
      { level: 'info', message: 'ready again', fields: { forSeconds: SAY_NOT_READY_AFTER_MS / 1_000 + 60 } },
    ])
  })

  it('says nothing of a moment, however often there is one', () => {
    const { lines, look } = setUp()
    for (let i = 0; i < 10; i++) {
      look(ALONE, SAY_NOT_READY_AFTER_MS / 1_000)
      look(OK, 1)
    }
    expect(lines).toEqual([])
  })

  it('says it again of another time', () => {
    const { lines, look } = setUp()
    for (let i = 0; i < 2; i++) {
      look(ALONE, 60)
      look(OK, 1)
    }
    expect(lines.map((line) => line.level)).toEqual(['warn', 'info', 'warn', 'info'])
  })
})
