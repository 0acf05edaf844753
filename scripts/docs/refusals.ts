/** Why a staking or evidence transaction is not taken, for docs/reference/errors.md. One that is missing does not compile. */

import type { ShieldedRefusal } from '../../src/ledger/shielded/shielded-refusals.ts'
import type { EvidenceRefusal, StakingRefusal } from '../../src/ledger/staking/staking-refusals.ts'

/** Of the pool, whatever the transaction is. */
type PoolRefusal = 'full' | 'malformed' | 'source-budget' | 'proofs-busy' | 'too-large' | 'nullifier-waiting'

type Texts = readonly [when: string, whatToDo: string]

const NEXT = 'make it again: "hypermesh stake" asks the node for the next number'
const SHIELDED = 'make it again: "hypermesh wallet" takes care of it'
const EVIDENCE = 'nothing: nobody is punished by it'

export const REFUSALS: Readonly<
  Record<StakingRefusal | EvidenceRefusal | ShieldedRefusal | PoolRefusal, Texts>
> = {
  'staking-amount': ['the amount is 0', 'name an amount above 0'],
  'staking-expired': [
    'no block held it up to its last height',
    'make it again; look whether blocks become final',
  ],
  'staking-unknown-account': [
    'the key has no account',
    'have something transferred to the account first, or use its key',
  ],
  'staking-sequence': ['the number was used by another transaction of the account', NEXT],
  'staking-sequence-ahead': [
    'an earlier transaction of the account is not final yet',
    'wait until it is, and send it again',
  ],
  'staking-epochs': [
    'the network has one epoch without end, its validators never change',
    'transfer only; choose another network to stake on',
  ],
  'staking-tombstoned': [
    'the account was punished for equivocation',
    'unbond what is left; a new account can join',
  ],
  'staking-balance': ['more than the balance', 'name less; "hypermesh stake show" tells the balance'],
  'staking-bonded': ['more than the stake', 'name less; "hypermesh stake show" tells the stake'],
  'staking-not-excluded': ['the validator is not excluded from verdicts', 'nothing: it takes part'],
  'staking-cool-down': [
    'the cool-down of its exclusion is not over',
    'come again in the period that the detail names',
  ],
  'staking-recipient': ['a transfer to oneself', 'name another account'],
  'staking-new-account': ['too little to open the account of the recipient', 'transfer more at first'],
  'staking-accounts-full': ['there is no room for a new account', 'transfer to an account that is there'],
  'staking-unbonding-full': ['32 withdrawals of the account are under way', 'wait until one is free'],
  'staking-minimum': [
    'less stake than a validator must have',
    'bond more first; "/v1/validators" tells what others have',
  ],
  'staking-joined': ['the account has joined already', 'nothing'],
  'staking-not-joined': ['the account has not joined', 'join first'],
  'staking-key-taken': [
    'the validator key belongs to an account, or lately did',
    'make a new key with "hypermesh keys new"',
  ],
  'staking-key-changes': [
    'eight former keys still answer for what they signed',
    'wait until the oldest is beyond the evidence window',
  ],
  'staking-key-proof': ['the proof is not by the new key', 'make it with the file of the new key'],
  'staking-signature': [
    'the signature is not by the key of the account, or for another network',
    'use the key of the account, and a node of its network',
  ],
  'evidence-same-content': ['both messages say the same', EVIDENCE],
  'evidence-order': ['the messages are not in their one order', 'put the lower content first'],
  'evidence-commits': ['the commits are not those of such a message, or not in order', EVIDENCE],
  'evidence-height': ['a commit is about a block above the one voted for', EVIDENCE],
  'evidence-future-epoch': ['about an epoch or a height that has not begun here', 'send it again later'],
  'evidence-expired': ['the evidence window has passed', EVIDENCE],
  'evidence-unknown-key': ['no account has or had the key in that epoch', EVIDENCE],
  'evidence-punished': ['the account was punished before', 'nothing: once is all'],
  'evidence-signature': ['a signature is not valid for this network', EVIDENCE],
  'evidence-equivocation': ['two blocks in one view are an equivocation', 'send it as evidence of that'],
  'shielded-chain': ['it is for another network', 'ask a node of the network that it is for'],
  'shielded-amount': ['what is minted or burnt is 0', 'name an amount above 0'],
  'shielded-fee': ['the fee is below that of genesis', 'pay more; "/v1/shielded" tells the minimum'],
  'shielded-ciphertexts': ['the ciphertexts are not those that their hash is of', SHIELDED],
  'shielded-binding': ['the binding is not the hash of what the transaction says', SHIELDED],
  'shielded-malformed': ['a hash in it is not of canonical field elements', SHIELDED],
  'shielded-expired': ['no block held it up to its last height', 'scan, and send again'],
  'shielded-anchor': [
    'its notes are under a root of the note tree that is too old, or of another branch',
    'scan, and send again',
  ],
  'shielded-pool': ['more is burnt or paid than all notes are worth', 'nothing: no right proof leads here'],
  'shielded-signature': [
    'the signature of the mint is not by the key of the account',
    'use the key of the account, and a node of its network',
  ],
  'shielded-proof': ['the proof does not prove what the transaction says', SHIELDED],
  'nullifier-repeated-in-transaction': ['both inputs are one note', SHIELDED],
  'nullifier-spent': ['a note of it was spent before', 'scan: the wallet learns what is left'],
  'nullifier-waiting': [
    'another transaction that spends a note of it waits for a block',
    'wait until that one is final or has expired, scan, and send again',
  ],
  full: ['the pool of the node is full', 'send it again in a moment, or to another node'],
  malformed: [
    'the bytes are no transaction of this version',
    'let "hypermesh" or the client make and send it',
  ],
  'source-budget': ['one sender has its share of the pool', 'send it again in a moment, or to another node'],
  'proofs-busy': [
    'too many proofs wait to be verified, from one sender or in all',
    'send it again in a moment, or to another node',
  ],
  'too-large': ['it is larger than any block may hold', 'make it smaller'],
}
