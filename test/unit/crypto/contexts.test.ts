import { expect, test } from 'vitest'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { SIGNED_KINDS } from '../../../src/crypto/signer.ts'

const texts = Object.values(SIGNATURE_CONTEXTS).map((context) => Buffer.from(context).toString('utf8'))

test('every context fits FIPS 204 and names this project and a version', () => {
  for (const context of Object.values(SIGNATURE_CONTEXTS)) expect(context.byteLength).toBeLessThanOrEqual(255)
  for (const text of texts) expect(text).toMatch(/^hypermesh\/[a-z/-]+\/v\d+$/)
})

test('all contexts are distinct', () => {
  expect(new Set(texts).size).toBe(texts.length)
})

test('every kind that a validator signs has one', () => {
  for (const kind of SIGNED_KINDS) expect(SIGNATURE_CONTEXTS[kind]).toBeInstanceOf(Uint8Array)
})
