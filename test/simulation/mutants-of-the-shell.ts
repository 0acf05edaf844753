/** Mutants around the consensus rules: signatures, certificates, the ledger, the chain store, the mempool. */
import { HONEST } from './adversary.ts'
import type { Mutant } from './mutants.ts'
import { liars, outlaws, restarts } from './mutants-of-the-rules.ts'
import type { RunChanges } from './swarm.ts'

const VERIFIER = 'src/runtime/message-verifier.ts'
const CHECK = 'src/ledger/check-block.ts'

/** Requests come quickly one after the other, so that some meet on one branch. */
const busy = (): RunChanges => ({ transactionEveryMs: 5, livenessMs: 10_000 })
/** The liar sends certificates that only look like some. */
const forgers = (seed: number): RunChanges => ({
  ...liars(seed),
  byzantine: new Map([
    [seed % 3, { kind: 'liar', habits: { ...HONEST, forgeCertificate: 1, impersonate: 1, withhold: 0.2 } }],
  ]),
})

export const LEDGER_MUTANTS: readonly Mutant[] = [
  {
    name: 'R16-certificate-unsigned',
    rule: 'R16: every signature of a certificate is checked',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: VERIFIER,
        find: '    return isSigned ? certificate : null',
        replace: '    return isSigned || true ? certificate : null',
      },
      {
        file: VERIFIER,
        find: "    if (!this.#isQuorum(voters) || (kind === 'commit') !== (stateRoot !== null)) return null",
        replace: '    if (voters.length === 0) return null',
      },
    ],
    options: forgers,
  },
  {
    name: 'R16-trusts-references',
    rule: 'R16: a certificate that is held stands in for one of the same view and block',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: VERIFIER,
        find: '    if (held !== null) return held\n',
        replace: '    if (held !== null) return certificate\n',
      },
    ],
    options: forgers,
  },
  {
    name: 'vote-unsigned',
    rule: 'R16: the signature of a vote is checked',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: VERIFIER,
        find: '    return this.#signatures.isValid(voter, kind, signedVotePayload(this.#genesisHash, vote), signature)',
        replace: '    return signature.length > 0',
      },
      {
        file: 'src/runtime/ingress.ts',
        find: "return (kind === 'prepare' || kind === 'pre-commit' || kind === 'openings') && message.voter !== sender",
        replace: "return kind === 'prepare' && sender === null",
      },
    ],
    options: forgers,
  },
  {
    name: 'nullifier-overlay',
    rule: 'Ledger: a nonce that was spent on the branch is spent',
    class: 'safety',
    budget: 40,
    changes: [
      {
        file: 'src/ledger/state-overlay.ts',
        find: 'return this.#nullifiers.has(nullifier) || this.#parent().hasNullifier(nullifier)',
        replace: 'return this.#parent().hasNullifier(nullifier)',
      },
    ],
    options: busy,
  },
  {
    name: 'nullifier-final-set',
    rule: 'Ledger: a nonce that was spent in the final chain is spent',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: 'src/storage/ledger-store.ts',
        find: '    const isThere = this.#view.get(nullifierKey(nullifier)) !== null',
        replace:
          '    const isThere = this.#view.get(nullifierKey(nullifier)) !== null && nullifier.length === 0',
      },
    ],
  },
  {
    name: 'judged-twice',
    rule: 'Ledger: a request is judged once',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: 'src/runtime/block-executor.ts',
        find: `        held.has(requestKey) ||
        on.state.verdict(requestKey) !== null ||
        isOpen(on.state.voting, requestKey) ||`,
        replace: '        requestKey.length === 0 ||',
      },
      {
        file: 'src/ledger/execute-transactions.ts',
        find: '    if (this.#state.verdict(requestKey) !== null) {',
        replace: '    if (requestKey.length === 0) {',
      },
      {
        file: 'src/ledger/execute-transactions.ts',
        find: '    if (isOpen(voting, requestKey)) {',
        replace: '    if (requestKey.length === 0) {',
      },
      {
        // What a waiting request would spend keeps itself out a second time as well.
        file: 'src/ledger/verdicts/waiting-refusal.ts',
        find: '  const reserved = nullifiers.find((nullifier) => isReserved(voting, nullifier) || here.reserves(nullifier))',
        replace: '  const reserved = nullifiers.find((nullifier) => nullifier.length === 0)',
      },
    ],
    options: busy,
  },
  {
    name: 'parent-state-root',
    rule: 'Ledger: a block names the state that it is built on',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: CHECK,
        find: "  return mismatch('parent-state-root', header.parentStateRoot, parent.stateRoot)",
        replace: '  return null',
      },
    ],
    options: outlaws,
  },
  {
    name: 'nullifier-root',
    rule: 'Ledger: a block names the nullifiers after it',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: CHECK,
        find: "    mismatch('nullifier-root', header.nullifierRoot, after.nullifierRoot) ??\n",
        replace: '',
      },
    ],
    options: outlaws,
  },
  {
    name: 'atomic-batch',
    rule: 'Storage: blocks and what they change are one batch',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: 'src/storage/chain-store.ts',
        find: '      await this.#options.database.write(operations)\n',
        replace: `      await this.#options.database.write(operations.slice(0, -2))
      await this.#options.database.write(operations.slice(-2))
`,
      },
    ],
    options: restarts,
  },
  {
    name: 'writes-out-of-order',
    // The chain store puts its batches in order by itself.
    rule: 'Storage: a batch continues the chain',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/runtime/finalizer.ts',
        find: '    this.#queue(() => this.#commit(blocks, fillers, certificate))',
        replace: '    void this.#commit(blocks, fillers, certificate)',
      },
    ],
    options: restarts,
  },
  {
    name: 'pool-forgets-proposed',
    rule: 'Mempool: what was taken ends in a block',
    class: 'liveness',
    budget: 40,
    changes: [
      {
        file: 'src/mempool/mempool.ts',
        find: '      selected.push(transaction)\n',
        replace: '      selected.push(transaction)\n      this.#delete(transaction.requestKey)\n',
      },
    ],
    options: liars,
  },
  {
    name: 'sync-takes-unlinked',
    rule: 'Sync: blocks link from what is here to the certified one',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/sync/range-sync.ts',
        find: 'if (block === null || block.header.parentHash !== parentHash) return null',
        replace: 'if (block === null || parentHash.length === 0) return null',
      },
    ],
  },
]
