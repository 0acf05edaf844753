/**
 * A receipt as text, `receipt.json`: the same fields as its canonical bytes and nothing else, so that either follows
 * from the other. Only the very text that would be written is read: a receipt has one spelling.
 */
import type { BlockHeader, CertificateReference } from '../types/block.ts'
import type { QuorumCertificate, VoterSignature } from '../types/certificates.ts'
import { ok, type Result } from '../types/errors.ts'
import type { Receipt, StartBlock, StateBranch } from '../types/receipt.ts'
import type { HandOver } from '../types/snapshot.ts'
import type { Validator } from '../types/validator-set.ts'
import { CERTIFICATE_KINDS, SIGNATURE_BYTES } from './certificates.ts'
import { PUBLIC_KEY_BYTES } from './genesis.ts'
import {
  amountForm,
  bytesForm,
  constantForm,
  hashForm,
  type JsonForm,
  listForm,
  nameForm,
  nullForm,
  objectForm,
  readJsonForm,
  wholeForm,
  writeJsonForm,
} from './json-form.ts'
import { FRONTIER_DEPTH } from './ledger-state.ts'
import { RECEIPT_BYTES_MAX, RECEIPT_HAND_OVERS_MAX, VALIDATORS_MAX } from './limits.ts'
import { RECEIPT_VERSION } from './receipt.ts'
import { VERDICT_BYTES_MAX } from './verdict.ts'

/** Two digits a byte, and what stands around them. */
export const RECEIPT_JSON_BYTES_MAX = 2 * RECEIPT_BYTES_MAX + 1024 * 1024

const INDEX_MAX = 2 ** 16 - 1

/** Headers of blocks, as receipts and checkpoints have them. */
export const headerForm = objectForm<BlockHeader>({
  genesisHash: hashForm(),
  epoch: wholeForm(),
  view: wholeForm(),
  height: wholeForm(),
  parentHash: hashForm(),
  justify: objectForm<CertificateReference>({ view: wholeForm(), blockHash: hashForm() }),
  timestamp: wholeForm(),
  proposer: wholeForm(INDEX_MAX),
  transactionsRoot: hashForm(),
  proofCommitment: hashForm(48),
  noteCommitmentRoot: hashForm(),
  nullifierRoot: hashForm(),
  parentStateRoot: hashForm(),
  validatorSetRoot: hashForm(),
})

/** Certificates likewise. */
export const certificateForm = objectForm<QuorumCertificate>({
  kind: nameForm(CERTIFICATE_KINDS),
  epoch: wholeForm(),
  view: wholeForm(),
  height: wholeForm(),
  blockHash: hashForm(),
  stateRoot: nullForm(hashForm()),
  signatures: listForm(
    objectForm<VoterSignature>({
      voter: wholeForm(INDEX_MAX),
      signature: bytesForm(SIGNATURE_BYTES),
      commits: nullForm(hashForm()),
    }),
    VALIDATORS_MAX,
  ),
})

/** Validators as receipts and checkpoints list them. */
export const validatorsForm: JsonForm<readonly Validator[]> = listForm(
  objectForm<Validator>({ id: hashForm(), publicKey: bytesForm(PUBLIC_KEY_BYTES), stake: amountForm }),
  VALIDATORS_MAX,
)

interface Document extends Receipt {
  readonly format: 'hypermesh-receipt'
  readonly version: typeof RECEIPT_VERSION
}

const receiptForm = objectForm<Document>({
  format: constantForm('hypermesh-receipt'),
  version: constantForm(RECEIPT_VERSION),
  startEpoch: wholeForm(),
  startBlock: nullForm(objectForm<StartBlock>({ header: headerForm, validators: validatorsForm })),
  handOvers: listForm(
    objectForm<HandOver>({ header: headerForm, certificate: certificateForm, validators: validatorsForm }),
    RECEIPT_HAND_OVERS_MAX,
  ),
  header: headerForm,
  certificate: certificateForm,
  stateBranch: objectForm<StateBranch>({
    validators: hashForm(),
    nullifiersAndNotes: hashForm(),
    parametersToTrust: hashForm(),
    operatorsAndBlocks: hashForm(),
  }),
  listSize: wholeForm(),
  position: wholeForm(),
  path: listForm(hashForm(), FRONTIER_DEPTH),
  record: bytesForm(1, VERDICT_BYTES_MAX),
})

/** The text of a receipt. */
export function receiptJson(receipt: Receipt): string {
  const document: Document = { format: 'hypermesh-receipt', version: RECEIPT_VERSION, ...receipt }
  return writeJsonForm(receiptForm, document)
}

/** Reads the text of a receipt; the refusal names the field, or the line in which the spelling differs. */
export function parseReceiptJson(text: string): Result<Receipt, 'malformed'> {
  const document = readJsonForm(receiptForm, text, RECEIPT_JSON_BYTES_MAX)
  if (!document.ok) return document
  const { format: _, version: __, ...receipt } = document.value
  return ok(receipt)
}
