/**
 * Every domain tag that goes into a hash. A tag is hashed with its length in front, so that no two
 * uses can collide by sliding bytes from the tag into the content.
 */
export const DOMAINS = {
  transaction: 'hypermesh/transaction/v1',
  genesis: 'hypermesh/genesis/v1',
  proofCommitment: 'hypermesh/proof-commitment/v1',
  requestKey: 'hypermesh/request-key/v1',
  stakingKey: 'hypermesh/staking-key/v1',
  operatorKey: 'hypermesh/operator-transaction/v1',
  operationKey: 'hypermesh/operation-transaction/v1',
  operation: 'hypermesh/operation/v1',
  evidenceKey: 'hypermesh/evidence-key/v1',
  commitPairKey: 'hypermesh/commit-pair-key/v1',
  requestId: 'hypermesh/request-id/v1',
  nodeId: 'hypermesh/node-id/v1',
  timeNullifier: 'hypermesh/nullifier/time/v1',
  validatorId: 'hypermesh/validator-id/v1',
  verdict: 'hypermesh/verdict/v1',
  ballotCommit: 'hypermesh/ballot-commit/v1',
  ballotsKey: 'hypermesh/ballots-key/v1',
  ballotSalt: 'hypermesh/ballot-salt/v1',
  ballotSaltKey: 'hypermesh/ballot-salt-key/v1',
  voteCommits: 'hypermesh/vote-commits/v1',
  spaceLeaf: 'hypermesh/space-leaf/v1',
  spaceNode: 'hypermesh/space-node/v1',
  attestedRequest: 'hypermesh/attested-request/v1',
  stakeAttestation: 'hypermesh/attestation/stake/v1',
  workAttestation: 'hypermesh/attestation/work/v1',
  spaceIndex: 'hypermesh/attestation/space/v1',
  workNullifier: 'hypermesh/nullifier/work/v1',
  operatorSequence: 'hypermesh/operator-sequence/v1',
  auditLine: 'hypermesh/audit-line/v1',
  noteCiphertexts: 'hypermesh/note-ciphertexts/v1',
  shieldedBinding: 'hypermesh/shielded-binding/v1',
  mintContent: 'hypermesh/mint-content/v1',
  shieldedStatement: 'hypermesh/shielded-statement/v1',
  shieldedKey: 'hypermesh/shielded-transaction/v1',
  shieldedEntry: 'hypermesh/shielded-entry/v1',
  proofOfWork: 'hypermesh/proof-of-work/v1',
} as const

export type Domain = keyof typeof DOMAINS
