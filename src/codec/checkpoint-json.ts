/**
 * A validator set to trust, as a file: whoever has checked a receipt keeps the set that signed it, and checks later ones
 * from there. Whoever writes it vouches for it; nothing in it proves anything.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { ReceiptTrust } from '../types/receipt.ts'
import { PUBLIC_KEY_BYTES } from './genesis.ts'
import { constantForm, hashForm, objectForm, readJsonForm, wholeForm, writeJsonForm } from './json-form.ts'
import { VALIDATORS_MAX } from './limits.ts'
import { validatorsForm } from './receipt-json.ts'

type SetTrust = Extract<ReceiptTrust, { kind: 'validator-set' }>

const VERSION = 1
const CHECKPOINT_CHARACTERS_MAX = VALIDATORS_MAX * (2 * PUBLIC_KEY_BYTES + 512) + 4_096

type Document = Omit<SetTrust, 'kind'> & {
  readonly format: 'hypermesh-checkpoint'
  readonly version: typeof VERSION
}

const form = objectForm<Document>({
  format: constantForm('hypermesh-checkpoint'),
  version: constantForm(VERSION),
  genesisHash: hashForm(),
  epochBlocks: wholeForm(2 ** 32 - 1),
  epoch: wholeForm(),
  validators: validatorsForm,
})

/** The text of a checkpoint. */
export function checkpointJson({ kind: _, ...trust }: SetTrust): string {
  const document: Document = { format: 'hypermesh-checkpoint', version: VERSION, ...trust }
  return writeJsonForm(form, document)
}

/** Reads the text of a checkpoint; only the very text that would be written. */
export function parseCheckpointJson(text: string): Result<SetTrust, 'malformed'> {
  const document = readJsonForm(form, text, CHECKPOINT_CHARACTERS_MAX)
  if (!document.ok) return document
  const { genesisHash, epochBlocks, epoch, validators } = document.value
  if (validators.length === 0) return refuse('malformed', 'it names no validators')
  return ok({ kind: 'validator-set', genesisHash, epochBlocks, epoch, validators })
}
