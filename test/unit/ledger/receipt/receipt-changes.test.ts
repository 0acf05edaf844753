/**
 * A receipt has one spelling: whatever byte of it is changed, in its canonical bytes or its text, it is refused. Every
 * byte with the long tests; with the others one in some.
 */
import { describe, expect, inject, it } from 'vitest'
import { decodeReceipt, encodeReceipt } from '../../../../src/codec/receipt.ts'
import { parseReceiptJson, receiptJson } from '../../../../src/codec/receipt-json.ts'
import { verifyReceipt } from '../../../../src/ledger/receipt/verify-receipt.ts'
import type { Receipt, ReceiptTrust } from '../../../../src/types/receipt.ts'
import { fromBlock, fromSet, receiptOf, TRUST, verifySignature } from '../../../support/receipt-fixture.ts'

/** For a hang: each test is ten thousand signatures and more. */
const DEADLINE_MS = 240_000

/** Keys and signatures are most of a receipt: every seventh byte meets every field. */
const STEP = inject('byteStep')

const PLAIN = receiptOf()
const CHANGED = receiptOf({ isChanged: true })
const BLOCK = fromBlock(CHANGED)
const SET = fromSet(CHANGED)

const known = new Map<string, boolean>()
/** Real checks, each made once: a change leaves all signatures but one as they were. */
const cached: typeof verifySignature = (publicKey, payload, signature, context) => {
  const key = [publicKey, payload, signature].map((part) => Buffer.from(part).toString('latin1')).join('|')
  let isRight = known.get(key)
  if (isRight === undefined) {
    isRight = verifySignature(publicKey, payload, signature, context)
    // One that is refused is not met again.
    if (isRight) known.set(key, isRight)
  }
  return isRight
}

describe('one byte changed', () => {
  const holds = (receipt: Receipt, trust: ReceiptTrust): boolean => verifyReceipt(receipt, trust, cached).ok

  /** Places at which a change of these bits still gave a receipt that holds. */
  function acceptedBytes(
    receipt: Receipt,
    trust: ReceiptTrust,
    step: number,
    bits: readonly number[],
  ): string[] {
    expect(holds(receipt, trust)).toBe(true)
    const bytes = encodeReceipt(receipt)
    const accepted: string[] = []
    for (let at = 0; at < bytes.length; at += step) {
      for (const bit of bits) {
        const changed = Uint8Array.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        const read = decodeReceipt(changed)
        if (read.ok && holds(read.value, trust)) accepted.push(`${at}, bit ${bit}`)
      }
    }
    return accepted
  }

  it(
    'anywhere in the canonical bytes is refused',
    () => {
      expect(acceptedBytes(PLAIN, TRUST, STEP, [5])).toEqual([])
    },
    DEADLINE_MS,
  )

  it(
    'in any bit outside of the signatures is refused',
    () => {
      const bytes = encodeReceipt(PLAIN)
      const signatures = PLAIN.certificate.signatures.map(({ signature }) => signature)
      const accepted: string[] = []
      const isInSignature = new Set<number>()
      for (const signature of signatures) {
        const from = Buffer.from(bytes).indexOf(signature)
        for (let at = from + 1; at < from + signature.length - 1; at++) isInSignature.add(at)
      }
      for (let at = 0; at < bytes.length; at += STEP) {
        if (isInSignature.has(at)) continue
        for (let bit = 0; bit < 8; bit++) {
          const changed = Uint8Array.from(bytes)
          changed[at] = (changed[at] ?? 0) ^ (1 << bit)
          const read = decodeReceipt(changed)
          if (read.ok && holds(read.value, TRUST)) accepted.push(`${at}, bit ${bit}`)
        }
      }
      expect(bytes.length - isInSignature.size).toBeGreaterThan(700)
      expect(accepted).toEqual([])
    },
    DEADLINE_MS,
  )

  it.each([
    ['with a hand-over', CHANGED, TRUST],
    ['from a block', BLOCK.receipt, BLOCK.trust],
    ['from a set', SET.receipt, SET.trust],
  ] as [string, Receipt, ReceiptTrust][])(
    'of a receipt %s is refused',
    (_, receipt, trust) => {
      expect(acceptedBytes(receipt, trust, Math.max(STEP, 7), [0])).toEqual([])
    },
    DEADLINE_MS,
  )

  it(
    'anywhere in the text is refused',
    () => {
      const text = receiptJson(PLAIN)
      const accepted: number[] = []
      for (let at = 0; at < text.length; at += STEP) {
        const now = text[at] ?? ''
        // The nearest that may pass: another hex digit for one, white space for white space.
        const digit = now === '1' ? '2' : '1'
        const next = /[0-9a-f]/.test(now) ? digit : now === ' ' ? '\t' : now === '\n' ? ' ' : 'x'
        const read = parseReceiptJson(text.slice(0, at) + next + text.slice(at + 1))
        if (read.ok && holds(read.value, TRUST)) accepted.push(at)
      }
      expect(accepted).toEqual([])
    },
    DEADLINE_MS,
  )
})
