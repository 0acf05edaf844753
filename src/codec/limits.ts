/**
 * The largest of everything that has canonical bytes. A bound here is about memory and is wider than the
 * rule on the same field, so that what breaks a rule is judged Invalid with a reason instead of refused.
 */

/** Validators in a set; the index is two bytes, this keeps certificates within {@link MESSAGE_BYTES_MAX}. */
export const VALIDATORS_MAX = 256
/** Punishments kept within the evidence windows: no more accounts than there can be are punished once each. */
export const SLASHES_MAX = 4_096
/** Transactions in a block, whatever genesis allows. */
export const BLOCK_TRANSACTIONS_MAX = 4_096
/** Canonical bytes of a block, whatever genesis allows. */
export const BLOCK_BYTES_MAX = 4 * 1024 * 1024
/** Canonical bytes of one transaction. */
export const TRANSACTION_BYTES_MAX = 256 * 1024
/** The proof of a shielded transaction: the largest has 90,365 bytes. */
export const SHIELDED_PROOF_BYTES_MAX = 96 * 1024
/** Any single text field. */
export const TEXT_BYTES_MAX = 8_192
/** Any single byte field of a four-proof set: twice the rule's 64 KiB less one transaction's other fields. */
export const PROOF_BYTES_MAX = 72 * 1024
/** Entries of any list of texts. */
export const TEXT_LIST_MAX = 256
/** One value in the metadata map: holds an attestation container in base64url. */
export const METADATA_VALUE_BYTES_MAX = 192 * 1024
export const METADATA_ENTRIES_MAX = 64
/** A consensus message: a full block with a timeout certificate and the ballot votes of a full set. */
export const MESSAGE_BYTES_MAX = BLOCK_BYTES_MAX + 6 * VALIDATORS_MAX * 3_400
/** Operations that a policy names, and steps of its table of authority. */
export const OPERATION_LEVELS_MAX = 64
export const AUTHORITY_STEPS_MAX = 32
/** Rule failures kept in a record, and the bytes of each reason. */
export const FAILURES_MAX = 64
export const REASON_BYTES_MAX = 512
/** Commits, and openings, of one vote: slots that are open at once for a validator that keeps up are fewer. */
export const BALLOTS_PER_VOTE_MAX = 64
/** Commits, and openings, of one block. */
export const CAST_BALLOTS_MAX = 4_096
/** Batches of requests that wait for verdicts: no more than there are heights in all attempts' windows. */
export const OPEN_BATCHES_MAX = 128
/** Canonical bytes of a receipt: its JSON, twice as long, fits into one answer of every carrier. */
export const RECEIPT_BYTES_MAX = 4 * 1024 * 1024
/** Changes of the validator set that a receipt leads through. */
export const RECEIPT_HAND_OVERS_MAX = 256
