/** Canonical bytes and JSON of checkpoints, fork proofs and restarts: files that lie outside of any node. */
import type { Result } from '../types/errors.ts'
import type { AccountId, BlockHash, GenesisHash } from '../types/primitives.ts'
import type {
  ForkProof,
  RestartDecision,
  RestartSignature,
  SeedCheckpoint,
  SignedCheckpoint,
} from '../types/recovery.ts'
import { headerSchema } from './block.ts'
import { quorumCertificateSchema, SIGNATURE_BYTES } from './certificates.ts'
import { PUBLIC_KEY_BYTES, validatorListSchema } from './genesis.ts'
import {
  bytesForm,
  constantForm,
  hashForm,
  listForm,
  objectForm,
  readJsonForm,
  wholeForm,
  writeJsonForm,
} from './json-form.ts'
import { VALIDATORS_MAX } from './limits.ts'
import { certificateForm, headerForm, validatorsForm } from './receipt-json.ts'
import { encode, hexBytes, listOf, record, uint } from './schema.ts'

const SET_CHARACTERS_MAX = VALIDATORS_MAX * (2 * PUBLIC_KEY_BYTES + 512)
const CERTIFICATE_CHARACTERS_MAX = VALIDATORS_MAX * (2 * SIGNATURE_BYTES + 512)
/** The longest of the files. */
export const RECOVERY_CHARACTERS_MAX = 2 * SET_CHARACTERS_MAX + 2 * CERTIFICATE_CHARACTERS_MAX + 16_384

const checkpointSchema = record<SeedCheckpoint>({
  genesisHash: hexBytes(32),
  epochBlocks: uint(4),
  header: headerSchema,
  stateRoot: hexBytes(32),
  voters: validatorListSchema,
  validators: validatorListSchema,
  certificate: quorumCertificateSchema,
})

/** Everything of a checkpoint but its custodian; context seed-checkpoint. */
export function checkpointSigningPayload(checkpoint: SeedCheckpoint): Uint8Array {
  return encode(checkpointSchema, checkpoint)
}

const decisionSchema = record<RestartDecision>({
  from: hexBytes<GenesisHash>(32),
  blockHash: hexBytes<BlockHash>(32),
  culprits: listOf(hexBytes<AccountId>(32), VALIDATORS_MAX),
  to: hexBytes<GenesisHash>(32),
})

/** (network, block, culprits, new network); context restart. */
export function restartSigningPayload(decision: RestartDecision): Uint8Array {
  return encode(decisionSchema, decision)
}

const VERSION = 1 as const
interface Head<Format extends string> {
  readonly format: Format
  readonly version: typeof VERSION
}
const head = <const Format extends string>(format: Format) => ({
  format: constantForm(format),
  version: constantForm(VERSION),
})

const checkpointForm = objectForm<SignedCheckpoint & Head<'hypermesh-seed-checkpoint'>>({
  ...head('hypermesh-seed-checkpoint'),
  genesisHash: hashForm(),
  epochBlocks: wholeForm(2 ** 32 - 1),
  header: headerForm,
  stateRoot: hashForm(),
  voters: validatorsForm,
  validators: validatorsForm,
  certificate: certificateForm,
  custodian: bytesForm(PUBLIC_KEY_BYTES),
  signature: bytesForm(SIGNATURE_BYTES),
})

const forkForm = objectForm<ForkProof & Head<'hypermesh-fork-proof'>>({
  ...head('hypermesh-fork-proof'),
  genesisHash: hashForm(),
  voters: validatorsForm,
  first: certificateForm,
  second: certificateForm,
})

const restartForm = objectForm<RestartDecision & RestartSignature & Head<'hypermesh-restart'>>({
  ...head('hypermesh-restart'),
  from: hashForm(),
  blockHash: hashForm(),
  culprits: listForm(hashForm<AccountId>(), VALIDATORS_MAX),
  to: hashForm(),
  publicKey: bytesForm(PUBLIC_KEY_BYTES),
  signature: bytesForm(SIGNATURE_BYTES),
})

export function seedCheckpointJson(checkpoint: SignedCheckpoint): string {
  return writeJsonForm(checkpointForm, {
    format: 'hypermesh-seed-checkpoint' as const,
    version: VERSION,
    ...checkpoint,
  })
}

/** Only the very text that would be written. */
export function parseSeedCheckpointJson(text: string): Result<SignedCheckpoint, 'malformed'> {
  return readJsonForm(checkpointForm, text, RECOVERY_CHARACTERS_MAX)
}

export function forkProofJson(proof: ForkProof): string {
  return writeJsonForm(forkForm, { format: 'hypermesh-fork-proof' as const, version: VERSION, ...proof })
}

/** Only the very text that would be written. */
export function parseForkProofJson(text: string): Result<ForkProof, 'malformed'> {
  return readJsonForm(forkForm, text, RECOVERY_CHARACTERS_MAX)
}

export function restartJson(restart: RestartDecision & RestartSignature): string {
  return writeJsonForm(restartForm, { format: 'hypermesh-restart' as const, version: VERSION, ...restart })
}

/** Only the very text that would be written. */
export function parseRestartJson(text: string): Result<RestartDecision & RestartSignature, 'malformed'> {
  return readJsonForm(restartForm, text, RECOVERY_CHARACTERS_MAX)
}
