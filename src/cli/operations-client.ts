/** Signs operations and certificates with the identity key of a data directory, and follows operations through a node's API. */
import { setTimeout as sleep } from 'node:timers/promises'
import { whyNotJson } from '../codec/json-text.ts'
import { authorityForm, operationForm, readForm } from '../codec/operation-json.ts'
import {
  authoritySigningPayload,
  escalationSigningPayload,
  operationSigningPayload,
} from '../codec/signing-payloads.ts'
import { hashTransaction } from '../codec/transaction.ts'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import { standardOf } from '../ledger/operations/routing.ts'
import { standardKeyOf } from '../ledger/operations/standard-space.ts'
import type { StatusView } from '../rpc/http/api-ports.ts'
import type { OperationResultView, OperationsView } from '../rpc/http/operation-ports.ts'
import type {
  AuthoritySignature,
  NetworkOperation,
  OperationAction,
  StandardKey,
  StandardOperation,
} from '../types/operations.ts'
import { asHeight, type Height, type RequestKey } from '../types/primitives.ts'
import type { HashedTransaction } from '../types/transaction.ts'
import { type ApiOptions, askApi } from './api-client.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { readTextFile } from './parse-options.ts'
import { nextPlace, type StakeSigner } from './stake-client.ts'

const POLL_MS = 500

export function askOperations(options: ApiOptions): Promise<OperationsView> {
  return askApi(options, '/v1/operations') as Promise<OperationsView>
}

/** @throws CliError `E_NOT_FOUND` when there is none of this id */
export function askOperation(options: ApiOptions, id: string): Promise<OperationResultView> {
  return askApi(options, `/v1/operations/${id}`) as Promise<OperationResultView>
}

function malformed(what: string, why: string): CliError {
  return new CliError('E_OPERATION', `${what} is no operation`, {
    why,
    fix: 'the kinds and their fields are in "hypermesh operation propose --help"',
    exitCode: EXIT.data,
  })
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw malformed(what, whyNotJson(text, error))
  }
}

/**
 * Reads an operation as a person wrote it.
 * @param source JSON, or the path of a file of it. A `version` that is left out is the key's next one
 * @throws CliError `E_OPERATION` also for a key that is none of its kind, `E_FILE` (65)
 */
export async function readOperation(options: ApiOptions, source: string): Promise<NetworkOperation> {
  const isInline = source.trimStart().startsWith('{')
  const what = isInline ? 'the JSON given' : source
  const json = parsed(isInline ? source : readTextFile(source, 'operation'), what)
  const needsVersion =
    typeof json === 'object' && json !== null && 'key' in json && 'value' in json && !('version' in json)
  const read = readForm(operationForm, needsVersion ? { ...json, version: 0 } : json)
  if (!read.ok) throw malformed(what, read.detail)
  const operation = read.value
  const task = standardOf(operation)
  if (task === null) return operation
  const key = keyOf(task, what)
  if (!needsVersion) return operation
  const { entries } = await askOperations(options)
  const before = entries.find((entry) => entry.key === key)?.version ?? 0
  return { ...task, version: before + 1 }
}

/** The key that it writes. @throws CliError `E_OPERATION` when it is none of its kind: no block would take it */
function keyOf(task: StandardOperation, what: string): StandardKey {
  const key = standardKeyOf(task)
  if (key !== null) return key
  throw new CliError('E_OPERATION', `${what} is no operation that a block takes`, {
    why: `"${task.key}" is no key of ${task.kind}`,
    fix: 'begin it with the prefix of its kind, as "service/checkout"',
    exitCode: EXIT.data,
  })
}

/** Reads files of signatures, in order of account. @throws CliError `E_SIGNATURES`, `E_FILE` (65) */
export function readSignatures(paths: readonly string[]): readonly AuthoritySignature[] {
  const signatures = paths.flatMap((path) => {
    const read = readForm(authorityForm, parsed(readTextFile(path, 'signatures'), path))
    if (read.ok) return read.value
    throw new CliError('E_SIGNATURES', `${path} holds no signatures`, {
      why: read.detail,
      fix: 'let each validator make its own with "hypermesh operation certify"',
      exitCode: EXIT.data,
    })
  })
  const byAccount = new Map(signatures.map((signature) => [signature.account, signature]))
  return [...byAccount.values()].sort((a, b) => (a.account < b.account ? -1 : 1))
}

/** This validator's signature for a certificate, as JSON. */
export function certifyBy(signer: StakeSigner, of: NetworkOperation | RequestKey): unknown {
  const isEscalation = typeof of === 'string'
  const payload = isEscalation
    ? escalationSigningPayload(signer.genesisHash, of)
    : authoritySigningPayload(signer.genesisHash, of)
  const context = isEscalation ? SIGNATURE_CONTEXTS.escalation : SIGNATURE_CONTEXTS.authority
  const signature = signer.identity.keyPair.sign(payload, context)
  return authorityForm.toJson([{ account: signer.id, signature }])
}

/** Builds and signs the account's next transaction. @param action given the height that is final */
export async function signAction(
  options: ApiOptions,
  signer: StakeSigner,
  action: (final: Height) => OperationAction,
  sequence?: number,
): Promise<HashedTransaction> {
  const place = await nextPlace(options, signer, sequence)
  const { final } = (await askApi(options, '/v1/status')) as StatusView
  const publicKey = signer.identity.keyPair.publicKey.raw
  const content = { publicKey, ...place, operation: action(asHeight(final.height)) }
  const payload = operationSigningPayload(signer.genesisHash, content)
  const signature = signer.identity.keyPair.sign(payload, SIGNATURE_CONTEXTS.operation)
  return hashTransaction({ kind: 'operation', ...content, signature })
}

/** Asks until an operation is decided. @throws CliError `E_NOT_DECIDED` when it takes longer */
export async function awaitDecision(
  options: ApiOptions,
  id: string,
  waitMs: number,
): Promise<OperationResultView> {
  const end = Date.now() + waitMs
  for (;;) {
    const view = await askOperation(options, id)
    if (view.outcome !== null) return view
    if (Date.now() > end) {
      throw new CliError('E_NOT_DECIDED', `operation ${id} is ${view.state} after ${waitMs / 1_000} s`, {
        why: 'it is voted on from the height that it names, and has its effect at the end of the period',
        fix: `ask again with "hypermesh operation show ${id}"`,
      })
    }
    await sleep(POLL_MS)
  }
}
