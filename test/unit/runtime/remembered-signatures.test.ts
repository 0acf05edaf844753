/** A vote that comes twice is checked once, and nothing is taken for valid that was not found so. */
import { describe, expect, it } from 'vitest'
import type { SignatureCheck } from '../../../src/runtime/ports.ts'
import { RememberedSignatures } from '../../../src/runtime/remembered-signatures.ts'

/** Valid is what ends in the validator's number; counts how often it was asked. */
class CountingCheck implements SignatureCheck {
  asked = 0

  isValid(...[validator, , , signature]: Parameters<SignatureCheck['isValid']>): boolean {
    this.asked++
    return signature.at(-1) === validator
  }
}

const PAYLOAD = Uint8Array.of(1, 2, 3)
const signed = (validator: number, salt = 0): Uint8Array => Uint8Array.of(salt, validator)

describe('remembered signatures', () => {
  it('check a prepare vote once', () => {
    const check = new CountingCheck()
    const remembered = new RememberedSignatures(check, 4)
    expect(remembered.isValid(1, 'prepare', PAYLOAD, signed(1))).toBe(true)
    expect(remembered.isValid(1, 'prepare', PAYLOAD.slice(), signed(1))).toBe(true)
    expect(check.asked).toBe(1)
  })

  it('check anew when voter, payload, kind or signature differ', () => {
    const check = new CountingCheck()
    const remembered = new RememberedSignatures(check, 4)
    expect(remembered.isValid(1, 'prepare', PAYLOAD, signed(1))).toBe(true)
    expect(remembered.isValid(2, 'prepare', PAYLOAD, signed(1))).toBe(false)
    expect(remembered.isValid(1, 'prepare', Uint8Array.of(1, 2), signed(1, 9))).toBe(true)
    expect(remembered.isValid(1, 'prepare', PAYLOAD, Uint8Array.of(0, 3))).toBe(false)
    expect(remembered.isValid(1, 'prepare', PAYLOAD, signed(1, 7))).toBe(true)
    expect(remembered.isValid(1, 'pre-commit', PAYLOAD, signed(1))).toBe(true)
    expect(remembered.isValid(1, 'pre-commit', PAYLOAD, signed(1))).toBe(true)
    expect(check.asked).toBe(7)
  })

  it('do not remember what was refused', () => {
    const check = new CountingCheck()
    const remembered = new RememberedSignatures(check, 4)
    expect(remembered.isValid(1, 'prepare', PAYLOAD, signed(2))).toBe(false)
    expect(remembered.isValid(1, 'prepare', PAYLOAD, signed(2))).toBe(false)
    expect(check.asked).toBe(2)
  })

  it('forget the oldest: four for each validator are kept', () => {
    const check = new CountingCheck()
    const remembered = new RememberedSignatures(check, 2)
    const ask = (view: number): boolean => remembered.isValid(1, 'prepare', Uint8Array.of(view), signed(1))
    for (let view = 0; view < 9; view++) ask(view)
    expect(check.asked).toBe(9)
    ask(8)
    ask(1)
    expect(check.asked).toBe(9)
    ask(0)
    expect(check.asked).toBe(10)
  })
})
