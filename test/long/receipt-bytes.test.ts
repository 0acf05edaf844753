/**
 * `hypermesh verify` on the receipt of a network that is stopped: the file as it is holds, and with any one byte of it
 * changed it does not. The command once each way; every byte by the very functions that the command calls.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { heldReceipt, type Subject, subjectOf } from '../../src/client/receipt-check.ts'
import { parseGenesis } from '../../src/config/genesis-file.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { signatureVerifier } from '../../src/crypto/verify-signature.ts'
import { genesisTrust } from '../../src/ledger/receipt/genesis-trust.ts'
import type { ReceiptTrust, VerifySignature } from '../../src/receipt.ts'
import { run } from '../support/cli/processes.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH } from '../support/e2e/node-process.ts'

let network: LocalNetwork
let file: string
let requestFile: string
let trust: ReceiptTrust
let subject: Subject

const hypermesh = async (...args: string[]) => {
  const { code, stdout, stderr } = await run([...HYPERMESH, ...args]).ended
  return { code, stdout, stderr }
}
const verify = () =>
  hypermesh('verify', file, '--genesis', network.genesisFile, '--request', requestFile, '--require-valid')

beforeAll(async () => {
  network = await LocalNetwork.start()
  const folder = join(network.home, 'receipts')
  mkdirSync(folder)
  file = join(folder, 'receipt.json')
  requestFile = join(folder, 'request.json')
  writeFileSync(requestFile, certificateBody(certificate()))
  const { ca } = network.node(0)
  expect((await ask(ca, 'certificate', readFileSync(requestFile))).status).toBe(200)
  const taken = await hypermesh('receipt', '--request', requestFile, '--to', ca)
  expect(taken).toMatchObject({ code: 0, stderr: '' })
  writeFileSync(file, taken.stdout)
  trust = genesisTrust(parseGenesis(readFileSync(network.genesisFile, 'utf8'), network.genesisFile))
  const read = subjectOf(readFileSync(requestFile))
  if (!read.ok) throw new Error(read.detail)
  subject = read.value
  await network.end()
})

afterAll(async () => {
  await network?.destroy()
})

const known = new Map<string, boolean>()
const native = signatureVerifier(selectMlDsa65())
/** Real checks, each made once: a change leaves all signatures but one as they were. */
const cached: VerifySignature = (publicKey, payload, signature, context) => {
  const key = [publicKey, payload, signature].map((part) => Buffer.from(part).toString('latin1')).join('|')
  const isRight = known.get(key) ?? native(publicKey, payload, signature, context)
  if (isRight) known.set(key, true)
  return isRight
}
const holds = (bytes: Uint8Array): boolean => heldReceipt(bytes, subject.isOn, trust, cached).ok

it('holds as it is, and with the last byte of its certificate changed it does not', {
  timeout: 60_000,
}, async () => {
  expect(await verify()).toMatchObject({ code: 0, stderr: '' })
  const text = readFileSync(file, 'utf8')
  const at = text.lastIndexOf('"signature": "') + 1_000
  writeFileSync(file, text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1))
  const forged = await verify()
  writeFileSync(file, text)
  expect(forged).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('E_RECEIPT: the receipt does not hold'),
  })
})

it('does not hold with any byte of the file changed', { timeout: 900_000 }, () => {
  const bytes = new Uint8Array(readFileSync(file))
  expect(holds(bytes)).toBe(true)
  const text = Buffer.from(bytes).toString()
  const isHexOfSignature = new Set<number>()
  for (const match of text.matchAll(/"signature": "([0-9a-f]+)"/g)) {
    const from = match.index + match[0].length - 1 - (match[1]?.length ?? 0)
    for (let at = from; at < from + (match[1]?.length ?? 0); at++) isHexOfSignature.add(at)
  }
  const accepted: string[] = []
  for (const [at, byte] of bytes.entries()) {
    // Every other hex digit would make a million signatures: of a signature the one whose lowest bit differs.
    const digit = Number.parseInt(String.fromCharCode(byte), 16)
    const others = isHexOfSignature.has(at)
      ? [(digit ^ 1).toString(16).charCodeAt(0), byte ^ 0x20]
      : Array.from({ length: 8 }, (_, bit) => byte ^ (1 << bit))
    for (const other of others) {
      bytes[at] = other
      if (holds(bytes)) accepted.push(`byte ${at}: ${other} for ${byte}`)
    }
    bytes[at] = byte
  }
  expect(isHexOfSignature.size).toBeGreaterThanOrEqual(3 * 2 * 3_309)
  expect(accepted).toEqual([])
  expect(holds(bytes)).toBe(true)
})
