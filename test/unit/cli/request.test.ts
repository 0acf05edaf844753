/** Fresh requests: the shape of the Rust client, Valid by the ledger's own rules, and broken in exactly one proof. */
import { describe, expect, it } from 'vitest'
import { freshCertificateRequest, freshFourProofRequest } from '../../../src/cli/fresh-request.ts'
import { freshness } from '../../../src/cli/request.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { checkFourProofs } from '../../../src/ledger/four-proofs/check-four-proofs.ts'
import { requestIdentity } from '../../../src/ledger/request-identity.ts'
import { readJson } from '../../../src/rpc/json-shape.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
} from '../../../src/rpc/trustchain-json-request.ts'
import type { ValidationPolicy } from '../../../src/types/genesis.ts'
import { asUnixMs, type GenesisHash } from '../../../src/types/primitives.ts'
import type { ValidationTransaction } from '../../../src/types/transaction.ts'
import { PROOF_NAMES, type ProofName } from '../../../src/types/verdict.ts'
import { vector } from '../../support/requests.ts'

/** Of the development network. */
const POLICY: ValidationPolicy = {
  minimumStake: 1_000n,
  maxTimeOffsetMs: 300_000,
  minimumStorage: 1_048_576n,
  maximumStorage: 100n * 2n ** 50n,
  minimumCompute: 10n,
  maximumCompute: 1_000_000n,
}
const UNTOUCHED = { hasNullifier: () => false, requestKeyOfId: () => null, lastSequence: () => 0n }

/** Which proofs the ledger finds wrong in a block made one second later. */
function judge(transaction: ValidationTransaction): string[] {
  const identity = requestIdentity(hashTransaction(transaction), 'ab'.repeat(32) as GenesisHash)
  const blockTime = asUnixMs(Date.now() + 1_000)
  return checkFourProofs(transaction, identity, UNTOUCHED, blockTime, POLICY).map(({ subject }) => subject)
}

function certificate(bad: ProofName | null): ValidationTransaction {
  const request = freshCertificateRequest(freshness(bad), 'test.hypermesh.online')
  return { kind: 'validate-certificate', request }
}

function fourProof(bad: ProofName | null): ValidationTransaction {
  return { kind: 'validate-proofs', request: freshFourProofRequest(freshness(bad), 'cert-001') }
}

describe.each([
  ['certificate', certificate],
  ['four-proof', fourProof],
] as const)('a fresh %s request', (_kind, make) => {
  it('is Valid', () => {
    expect(judge(make(null))).toEqual([])
  })

  it.each(PROOF_NAMES)('with bad %s is wrong in exactly that', (bad) => {
    expect(judge(make(bad))).toEqual([bad])
  })
})

/** Every name of a document, in order. */
const names = (json: string): string[] => json.match(/"[a-z0-9_]+":/g) ?? []

describe('its JSON', () => {
  it('has the fields of the Rust client in their order', () => {
    const { request } = certificate(null) as Extract<ValidationTransaction, { kind: 'validate-certificate' }>
    const json = certificateValidationRequest.write(request)
    expect(names(json)).toEqual(names(vector('certreq_json')))
    expect(json).toContain('"byzantine_tolerance":0.0}')
    expect(request.requestId).toMatch(/^trustchain-\d{13}-test\.hypermesh\.online$/)
    expect(readJson(certificateValidationRequest, Buffer.from(json))).toEqual({ ok: true, value: request })
  })

  it('of a four-proof set too', () => {
    const { request } = fourProof(null) as Extract<ValidationTransaction, { kind: 'validate-proofs' }>
    const json = fourProofValidationRequest.write(request)
    expect(names(json)).toEqual(names(vector('fpreq_json')))
    expect(readJson(fourProofValidationRequest, Buffer.from(json))).toEqual({ ok: true, value: request })
  })

  it('has a nonce of 64 random bits', () => {
    const nonces = Array.from({ length: 32 }, () => freshness(null).nonce)
    expect(new Set(nonces).size).toBe(32)
    expect(nonces.some((nonce) => nonce > 2n ** 63n)).toBe(true)
  })
})
