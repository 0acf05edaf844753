/** The signer signs a slot once, never behind itself, and never votes in a view that it gave up. */

import { describe, expect, test } from 'vitest'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import {
  SIGNED_KINDS,
  type SignedKind,
  type SignedSlot,
  Signer,
  type SigningSlot,
} from '../../../src/crypto/signer.ts'
import { InvariantViolation } from '../../../src/types/assert.ts'

const keyPair = selectMlDsa65().keyPairFromSeed(Buffer.alloc(32, 5))
const payload = (text: string) => new TextEncoder().encode(text)
const slot = (kind: SignedKind, position: number, epoch = 0): SigningSlot => ({ kind, epoch, position })
const signed = (position: number, text: string, epoch = 0): SignedSlot => ({
  epoch,
  position,
  payload: payload(text),
  signature: Buffer.from(`signature of ${text}`),
})

describe.each(SIGNED_KINDS)('%s', (kind) => {
  test('is signed under its own context only', () => {
    const signature = new Signer(keyPair, {}).sign(slot(kind, 3), payload('a'))
    for (const [name, context] of Object.entries(SIGNATURE_CONTEXTS)) {
      expect(keyPair.publicKey.verify(payload('a'), signature, context)).toBe(name === kind)
    }
  })

  test('S1: the same content again gives the same bytes', () => {
    const signer = new Signer(keyPair, {})
    expect(signer.sign(slot(kind, 3), payload('a'))).toBe(signer.sign(slot(kind, 3), payload('a')))
  })

  test('S1: a second content for the slot is refused, and the first stays', () => {
    const signer = new Signer(keyPair, {})
    const first = signer.sign(slot(kind, 3), payload('a'))
    expect(() => signer.sign(slot(kind, 3), payload('b'))).toThrow(InvariantViolation)
    expect(signer.sign(slot(kind, 3), payload('a'))).toBe(first)
  })

  test('a lower position is refused, even with a content signed there before', () => {
    const signer = new Signer(keyPair, {})
    signer.sign(slot(kind, 3), payload('a'))
    signer.sign(slot(kind, 4), payload('b'))
    expect(() => signer.sign(slot(kind, 3), payload('a'))).toThrow(InvariantViolation)
  })

  test('a later epoch starts anew, an earlier one is refused', () => {
    const signer = new Signer(keyPair, {})
    signer.sign(slot(kind, 9, 1), payload('a'))
    expect(() => signer.sign(slot(kind, 10, 0), payload('b'))).toThrow(InvariantViolation)
    expect(signer.sign(slot(kind, 0, 2), payload('c'))).toHaveLength(3309)
  })

  test('S0: what the safety record holds counts as signed', () => {
    const history = { [kind]: signed(7, 'a') }
    expect(new Signer(keyPair, history).sign(slot(kind, 7), payload('a'))).toEqual(
      Buffer.from('signature of a'),
    )
    expect(() => new Signer(keyPair, history).sign(slot(kind, 7), payload('b'))).toThrow(InvariantViolation)
    expect(() => new Signer(keyPair, history).sign(slot(kind, 6), payload('b'))).toThrow(InvariantViolation)
    expect(new Signer(keyPair, history).sign(slot(kind, 8), payload('b'))).toHaveLength(3309)
  })
})

const afterTimeout: [SignedKind, number, number, 'refused' | 'signed'][] = [
  ['prepare', 4, 0, 'refused'],
  ['prepare', 5, 0, 'refused'],
  ['prepare', 6, 0, 'signed'],
  ['prepare', 1, 1, 'signed'],
  ['pre-commit', 4, 0, 'refused'],
  ['pre-commit', 5, 0, 'refused'],
  ['pre-commit', 6, 0, 'signed'],
  ['pre-commit', 1, 1, 'signed'],
  ['commit', 5, 0, 'signed'],
  ['timeout', 6, 0, 'signed'],
]

test.each(afterTimeout)(
  'R3d, R5: after the timeout of view 5, %s at %i in epoch %i is %s',
  (kind, at, epoch, outcome) => {
    for (const source of ['signed now', 'from the record'] as const) {
      const signer = new Signer(keyPair, source === 'signed now' ? {} : { timeout: signed(5, 't') })
      if (source === 'signed now') signer.sign(slot('timeout', 5), payload('t'))
      const sign = () => signer.sign(slot(kind, at, epoch), payload('x'))
      if (outcome === 'refused') expect(sign).toThrow(InvariantViolation)
      else expect(sign()).toHaveLength(3309)
    }
  },
)

test('a vote that was signed before its view was given up may be sent again', () => {
  const signer = new Signer(keyPair, {})
  const vote = signer.sign(slot('prepare', 5), payload('a'))
  signer.sign(slot('timeout', 5), payload('t'))
  expect(signer.sign(slot('prepare', 5), payload('a'))).toBe(vote)
  expect(() => signer.sign(slot('pre-commit', 5), payload('a'))).toThrow(InvariantViolation)
})
