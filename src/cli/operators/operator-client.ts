/** Signs an account's operations on its operator, and what operators attest, through a node's API. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { operatorKeySigningPayload, operatorSigningPayload } from '../../codec/signing-payloads.ts'
import { hashTransaction } from '../../codec/transaction.ts'
import { dataDirectoryAt } from '../../config/data-directory.ts'
import { SIGNATURE_CONTEXTS } from '../../crypto/contexts.ts'
import { createOperatorKey, loadOperatorKey, type OperatorKey } from '../../crypto/operator-key.ts'
import { selectMlDsa65 } from '../../crypto/select.ts'
import type { OperatorView, PolicyView } from '../../rpc/http/operator-ports.ts'
import type { KeyScheme, OperatorOperation, OperatorRecord } from '../../types/operator.ts'
import type { HashedTransaction } from '../../types/transaction.ts'
import { type ApiOptions, askApi } from '../api-client.ts'
import { CliError } from '../errors.ts'
import { nextPlace, type StakeSigner } from '../stake-client.ts'

/** JSON as the API gives it: every bigint is a string of digits. */
type Json<T> = T extends bigint
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Json<T[K]> }
      : T

export type OperatorJson = Json<OperatorView>
export type PolicyJson = Json<PolicyView>

/** @throws CliError `E_NOT_FOUND` when there is none */
export function askOperator(options: ApiOptions, name: string): Promise<OperatorJson> {
  return askApi(options, `/v1/operators/${encodeURIComponent(name)}`) as Promise<OperatorJson>
}

export function askPolicy(options: ApiOptions): Promise<PolicyJson> {
  return askApi(options, '/v1/policy') as Promise<PolicyJson>
}

/** Of the operator that the account of a data directory registers. */
export function operatorKeyFile(data: string): string {
  return join(dataDirectoryAt(data).keys, 'operator.json')
}

/** The operator's key of a data directory. @throws KeystoreError (77) */
export function openOperatorKey(data: string): Promise<OperatorKey> {
  return loadOperatorKey(operatorKeyFile(data), selectMlDsa65())
}

/**
 * The key for a registration: the one that is there, else a new one.
 * @throws CliError `E_KEY_SCHEME` when the one that is there is of another scheme
 */
export async function takeOperatorKey(data: string, scheme: KeyScheme): Promise<OperatorKey> {
  const path = operatorKeyFile(data)
  if (!existsSync(path)) return createOperatorKey(path, scheme, selectMlDsa65())
  const key = await openOperatorKey(data)
  if (key.scheme === scheme) return key
  throw new CliError('E_KEY_SCHEME', `the key ${path} is of scheme ${key.scheme}, not ${scheme}`, {
    fix: `leave out --scheme or say ${key.scheme}; to change it, move the file away`,
    exitCode: 77,
  })
}

/** A claim of the account's next transaction, with the proof of the operator's key. */
export function claimBy(
  signer: StakeSigner,
  key: OperatorKey,
  kind: 'register' | 'update',
  record: OperatorRecord,
): (sequence: number) => OperatorOperation {
  return (sequence) => {
    const claim = operatorKeySigningPayload(signer.genesisHash, { account: signer.id, sequence, record })
    return { kind, record, possession: key.sign(claim, 'operator-key') }
  }
}

/** Builds and signs the account's next transaction. */
export async function signOperatorOperation(
  options: ApiOptions,
  signer: StakeSigner,
  operation: (sequence: number) => OperatorOperation,
  sequence?: number,
): Promise<HashedTransaction> {
  const place = await nextPlace(options, signer, sequence)
  const publicKey = signer.identity.keyPair.publicKey.raw
  const content = { publicKey, ...place, operation: operation(place.sequence) }
  const payload = operatorSigningPayload(signer.genesisHash, content)
  const signature = signer.identity.keyPair.sign(payload, SIGNATURE_CONTEXTS.operator)
  return hashTransaction({ kind: 'operator', ...content, signature })
}
