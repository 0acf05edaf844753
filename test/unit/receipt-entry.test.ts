/** The entry for programs: checks a receipt with the portable signatures, and drags in nothing that only Node has. */
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { formatGenesis } from '../../src/config/genesis-file.ts'
import * as entry from '../../src/receipt.ts'
import { RECEIPT_GENESIS, receiptOf, TRUST } from '../support/receipt-fixture.ts'

const ROOT = join(import.meta.dirname, '..', '..')

it('checks receipts from their text and a genesis file alone', () => {
  const receipt = entry.parseReceiptJson(entry.receiptJson(receiptOf({ isChanged: true })))
  const trust = entry.genesisTrust(entry.parseGenesis(formatGenesis(RECEIPT_GENESIS)))
  expect(trust).toEqual(TRUST)
  if (!receipt.ok) throw new Error(receipt.detail)
  const proven = entry.checkReceipt(receipt.value, trust)
  expect(proven).toMatchObject({ ok: true, value: { signedStake: 3n, handOvers: 1 } })
  if (proven.ok) expect(entry.isValid(proven.value.record)).toBe(true)
  const forged = { ...receipt.value, handOvers: [] }
  expect(entry.checkReceipt(forged, trust)).toMatchObject({ ok: false, code: 'wrong-signature' })
})

it('imports no module of Node, and uses no name of it, in any file that it leads to', () => {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const offences: string[] = []
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    if (/\b(?:Buffer|process|setImmediate|__dirname)\b[.(]/.test(code))
      offences.push(`${path}: a name of Node`)
    for (const [, isType, specifier = ''] of code.matchAll(
      /(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'/g,
    )) {
      if (isType !== undefined) continue
      if (specifier.startsWith('.')) visit(join(dirname(path), specifier))
      else packages.add(specifier)
    }
  }
  visit(join(ROOT, 'src', 'receipt.ts'))
  expect(seen.size).toBeGreaterThan(25)
  expect(offences).toEqual([])
  const ofNode = [...packages].filter((name) => name.startsWith('node:') || builtinModules.includes(name))
  expect(ofNode).toEqual([])
})

it('is what package.json offers', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string; default: string }>
  }
  expect(manifest.exports['./receipt']).toEqual({
    types: './dist/receipt.d.ts',
    default: './dist/receipt.js',
  })
})
