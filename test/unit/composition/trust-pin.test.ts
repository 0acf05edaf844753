import { expect, it } from 'vitest'
import { TrustPin } from '../../../src/composition/trust-pin.ts'
import type { Logger } from '../../../src/types/logger.ts'
import { asHeight } from '../../../src/types/primitives.ts'
import { chainOf } from '../consensus/harness.ts'

const [one, two] = chainOf(2) as [ReturnType<typeof chainOf>[0], ReturnType<typeof chainOf>[0]]

function pinOn(trusted: { height: number; hash: typeof one.hash } | null) {
  const told: string[] = []
  const say = (_fields: object, message: string): void => void told.push(message)
  const logger: Logger = { debug: say, info: say, warn: say, error: say }
  return { told, pin: new TrustPin(trusted && { ...trusted, height: asHeight(trusted.height) }, logger) }
}

it('takes any block where nothing is trusted, and any at other heights', () => {
  for (const trusted of [null, { height: 2, hash: two.hash }, { height: 1, hash: one.hash }]) {
    const { pin, told } = pinOn(trusted)
    expect(pin.admits(one)).toBe(true)
    expect(() => pin.requireIn((height) => (height === 1 ? one.hash : null))).not.toThrow()
    expect(told).toEqual([])
  }
})

it('refuses another block at that height and says so once, and ends a node that has it', () => {
  const { pin, told } = pinOn({ height: 1, hash: two.hash })
  const what = `the block at height 1 is ${one.hash}, the trusted one is ${two.hash}`
  expect([pin.admits(one), pin.admits(one)]).toEqual([false, false])
  expect(told).toEqual([what])
  expect(() => pin.requireIn(() => one.hash)).toThrow(
    expect.objectContaining({ code: 'E_TRUST', message: what, exitCode: 65 }),
  )
})
