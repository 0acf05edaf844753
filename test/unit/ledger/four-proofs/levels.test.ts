/**
 * The levels "registered" and "attested": a request that is right is Valid, and each of a catalogue of single faults
 * is refused under the right proof and in the right words.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findWork, withAttestation } from '../../../../src/cli/operators/make-attestation.ts'
import { makeSpace, openSpaceLeaves } from '../../../../src/cli/operators/space-file.ts'
import { decodeAttestation, encodeAttestation } from '../../../../src/codec/attestation.ts'
import { hashTransaction } from '../../../../src/codec/transaction.ts'
import {
  drawnLeaves,
  requestBinding,
  type Statement,
  stakeStatement,
} from '../../../../src/ledger/attestation/statement.ts'
import { uniformAssurance } from '../../../../src/ledger/validation-policy.ts'
import { ATTESTATION_KEY, type Attestation, type LeafOpening } from '../../../../src/types/attestation.ts'
import type { SpaceCommitment } from '../../../../src/types/operator.ts'
import { asHeight, type BlockHash } from '../../../../src/types/primitives.ts'
import type {
  CertificateTransaction,
  FourProofTransaction,
  HashedTransaction,
  ValidationTransaction,
} from '../../../../src/types/transaction.ts'
import type { RuleFailure } from '../../../../src/types/verdict.ts'
import { falconOperatorKey, mlDsaOperatorKey, OperatorChain } from '../../../support/operator-chain.ts'
import { certificateTransaction, fourProofTransaction, timeProof } from '../fixtures.ts'

type Expected = readonly (readonly [subject: RuleFailure['subject'], reason: RegExp])[]
type CertificateOverrides = NonNullable<Parameters<typeof certificateTransaction>[0]>
type SetOverrides = NonNullable<Parameters<typeof fourProofTransaction>[0]>

const MIB = 1_048_576
const alphaKey = mlDsaOperatorKey(8)
const betaKey = falconOperatorKey()
const folder = mkdtempSync(join(tmpdir(), 'levels-'))
const spaceOf = (name: string): string => join(folder, name)
let alphaSpace: SpaceCommitment
let betaSpace: SpaceCommitment
beforeAll(async () => {
  alphaSpace = await makeSpace(spaceOf('alpha'), MIB, 1_024, () => {})
  betaSpace = await makeSpace(spaceOf('beta'), MIB, 256, () => {})
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Alpha signs with ML-DSA and has aliases, beta with Falcon, gamma has no space, delta has retired. */
function network(level: 'registered' | 'attested'): OperatorChain {
  const chain = new OperatorChain(
    { ...uniformAssurance(level), anchorAgeBlocksMax: 8, minimumWorkBits: 16 },
    { epochBlocks: 1_000 },
  )
  chain.next([
    chain.claim(4, 'register', alphaKey, {
      aliases: ['alpha-node', 'alpha-storage', 'alpha-worker'],
      space: alphaSpace,
    }),
    chain.claim(5, 'register', betaKey, {
      operatorId: 'beta',
      bondedStake: 1_000n,
      space: betaSpace,
    }),
    chain.claim(6, 'register', mlDsaOperatorKey(10), { operatorId: 'gamma' }),
    chain.claim(7, 'register', mlDsaOperatorKey(11), { operatorId: 'delta' }),
  ])
  chain.next([chain.operation(7, { kind: 'retire' })])
  return chain.until(12)
}

/** A certificate request of one operator, all of whose names are its id or the given ones. */
function certificateOf(name: string, names = [name, name, name], more: CertificateOverrides = {}) {
  const [holder = name, storage = name, worker = name] = names
  return certificateTransaction({
    top: { requestId: `request-${name}`, ...more.top },
    certificate: { nodeId: name, ...more.certificate },
    stake: { stakeHolder: 'Alpha Ltd', stakeHolderId: holder, ...more.stake },
    space: { nodeId: storage, totalStorage: BigInt(MIB), ...more.space },
    work: { ownerId: worker, ...more.work },
    ...(more.time === undefined ? {} : { time: more.time }),
  })
}

const ALPHA_NAMES = ['alpha', 'alpha-storage', 'alpha-worker']

function setOf(name: string, more: SetOverrides = {}) {
  return fourProofTransaction({
    top: { nodeId: name, ...more.top },
    space: { networkPosition: `hypermesh://${name}/rack-1`, ...more.space },
    stake: { stakeAmount: 1_000n, authorityLevel: 100n, ...more.stake },
    work: { difficultyTarget: 4, ...more.work },
    ...(more.time === undefined ? {} : { time: more.time }),
  })
}

function expectFailures(seen: readonly RuleFailure[], expected: Expected): void {
  expect(seen.map(({ subject }) => subject)).toEqual(expected.map(([subject]) => subject))
  for (const [i, [, reason]] of expected.entries()) expect(seen[i]?.reason).toMatch(reason)
}

describe('level registered', () => {
  let chain: OperatorChain
  beforeAll(() => {
    chain = network('registered')
  })

  it('takes a request whose ids are one operator and its aliases', () => {
    expect(chain.failuresOf(certificateOf('alpha', ALPHA_NAMES))).toEqual([])
    expect(chain.failuresOf(certificateOf('alpha-node', ALPHA_NAMES))).toEqual([])
    expect(chain.failuresOf(setOf('alpha'))).toEqual([])
    expect(chain.failuresOf(setOf('beta', { space: { networkPosition: 'beta' } }))).toEqual([])
  })

  const own = ALPHA_NAMES
  const FAULTS: readonly (readonly [string, () => HashedTransaction<ValidationTransaction>, Expected])[] = [
    [
      'a stake holder that nobody registered',
      () => certificateOf('alpha', ['nobody', 'alpha', 'alpha']),
      [['stake', /^stake_holder_id "nobody" is no registered operator or alias of one$/]],
    ],
    [
      'a storage node that nobody registered',
      () => certificateOf('alpha', ['alpha', 'nobody', 'alpha']),
      [['space', /^node_id "nobody" is no registered operator/]],
    ],
    [
      'a work owner that nobody registered',
      () => certificateOf('alpha', ['alpha', 'alpha', 'nobody']),
      [['work', /^owner_id "nobody" is no registered operator/]],
    ],
    [
      'a requester that nobody registered',
      () => certificateOf('nobody', own),
      [['request', /^certificate_request.node_id "nobody" is no registered operator/]],
    ],
    [
      'the stake of another operator',
      () => certificateOf('alpha', ['beta', 'alpha', 'alpha']),
      [
        [
          'stake',
          /^stake_holder_id "beta" belongs to operator "beta", certificate_request.node_id to "alpha"$/,
        ],
      ],
    ],
    [
      'the storage of another operator',
      () => certificateOf('alpha', ['alpha', 'beta', 'alpha']),
      [['space', /^node_id "beta" belongs to operator "beta"/]],
    ],
    [
      'the work of another operator',
      () => certificateOf('alpha', ['alpha', 'alpha', 'beta']),
      [['work', /^owner_id "beta" belongs to operator "beta"/]],
    ],
    [
      'the alias of another operator',
      () => certificateOf('beta', ['beta', 'beta', 'alpha-worker']),
      [
        [
          'work',
          /^owner_id "alpha-worker" belongs to operator "alpha", certificate_request.node_id to "beta"$/,
        ],
      ],
    ],
    [
      'an operator that retired',
      () => certificateOf('alpha', ['alpha', 'alpha', 'delta']),
      [['work', /^owner_id "delta": its operator retired at height 2$/]],
    ],
    [
      'more stake than is bonded',
      () => certificateOf('alpha', own, { stake: { stakeAmount: 2_001n } }),
      [['stake', /^stake_amount 2001 is above the bonded stake 2000 of operator "alpha"$/]],
    ],
    [
      'more storage than is registered',
      () => certificateOf('alpha', own, { space: { totalStorage: BigInt(MIB) + 1n } }),
      [['space', /^total_storage 1048577 is above the registered space 1048576 of operator "alpha"$/]],
    ],
    [
      'storage of an operator without any',
      () => certificateOf('gamma'),
      [['space', /^total_storage 1048576 is above the registered space 0 of operator "gamma"$/]],
    ],
    [
      "TrustChain's test holder",
      () => certificateOf('alpha', own, { stake: { stakeHolder: 'test' } }),
      [['stake', /^stake_holder "test" is of TrustChain's test data, which this network does not accept$/]],
    ],
    [
      'a set of a node that nobody registered',
      () => setOf('nobody', { space: { networkPosition: 'alpha' } }),
      [['request', /^node_id "nobody" is no registered operator/]],
    ],
    [
      'a set at the position of another operator',
      () => setOf('alpha', { space: { networkPosition: 'hypermesh://beta' } }),
      [['space', /^network_position "beta" belongs to operator "beta", node_id to "alpha"$/]],
    ],
    [
      'a set with more authority than is recorded',
      () => setOf('alpha', { stake: { authorityLevel: 101n } }),
      [['stake', /^authority_level 101 is above the recorded level 100 of operator "alpha"$/]],
    ],
    [
      'a set with more stake than is bonded',
      () => setOf('beta', { stake: { stakeAmount: 1_001n } }),
      [['stake', /^stake_amount 1001 is above the bonded stake 1000/]],
    ],
    [
      'a set with more storage than is registered',
      () => setOf('alpha', { space: { storageCommitment: 2n ** 40n } }),
      [['space', /^storage_commitment 1099511627776 is above the registered space 1048576/]],
    ],
  ]
  it.each(FAULTS)('refuses %s', (_name, make, expected) => {
    expectFailures(chain.failuresOf(make()), expected)
  })

  it("refuses every id of TrustChain's test requests", () => {
    expectFailures(chain.failuresOf(certificateTransaction()), [
      ['space', /^node_id "test-node" is of TrustChain's test data/],
      ['stake', /^stake_holder "test" is of/],
      ['stake', /^stake_holder_id "test-001" is of/],
      ['work', /^owner_id "test-owner" is of/],
      ['request', /^certificate_request.node_id "test_node_001" is of/],
    ])
  })

  it('asks by type and operation, and takes test data where the level is declared', () => {
    const mixed = new OperatorChain({
      certificates: { ...uniformAssurance('declared').certificates, RootCA: 'registered' },
      operations: [{ operation: 'certificate_issuance', level: 'registered' }],
    })
    const { validationContext } = certificateTransaction().transaction.request
    const root = certificateTransaction({
      top: { validationContext: { ...validationContext, certificateType: 'RootCA' } },
    })
    expect(mixed.failuresOf(certificateTransaction())).toEqual([])
    expect(mixed.failuresOf(root)).toHaveLength(5)
    expect(mixed.failuresOf(fourProofTransaction())).not.toEqual([])
    expect(mixed.failuresOf(fourProofTransaction({ top: { operation: 'other' } }))).toEqual([])
  })
})

const UNCHECKED: readonly ['stake', RegExp] = ['stake', /: the signature is not checked, for another/]

describe('level attested', () => {
  let chain: OperatorChain
  let base: CertificateTransaction
  let good: Attestation
  let set: FourProofTransaction
  let goodSet: Attestation
  beforeAll(async () => {
    chain = network('attested')
    base = certificateOf('alpha', ALPHA_NAMES).transaction
    good = attestationOf(
      await chain.attest(
        base,
        'alpha',
        alphaKey,
        { folder: spaceOf('alpha'), commitment: alphaSpace },
        { sequence: 7n },
      ),
    )
    set = setOf('alpha').transaction
    goodSet = await setAttestation(set)
  })

  function attestationOf(transaction: CertificateTransaction): Attestation {
    const text = transaction.request.validationContext.metadata.find(([key]) => key === ATTESTATION_KEY)?.[1]
    const read = decodeAttestation(text ?? '')
    if (!read.ok) throw new Error(read.detail)
    return read.value
  }

  const statementOf = (transaction: ValidationTransaction, fields: Partial<Statement> = {}): Statement => ({
    genesisHash: chain.genesis.rules.genesisHash,
    anchor: chain.anchor,
    operatorId: 'alpha',
    sequence:
      transaction.kind === 'validate-proofs' ? transaction.request.proofSet.timeProof.sequenceNumber : 7n,
    ...requestBinding(transaction),
    ...fields,
  })

  /** All four attestations over one statement, as alpha would make them. */
  async function made(statement: Statement, bits = 16): Promise<Attestation> {
    const { anchor, operatorId, sequence } = statement
    return {
      operatorId,
      anchor,
      sequence,
      workNonce: await findWork(statement, bits),
      openings: await openSpaceLeaves(spaceOf('alpha'), alphaSpace, drawnLeaves(statement, 1_024n)),
      signature: alphaKey.sign(stakeStatement(statement), 'stake-attestation'),
    }
  }
  const setAttestation = (transaction: FourProofTransaction): Promise<Attestation> =>
    made(statementOf(transaction))

  const certificate = (change: Partial<Attestation>, of = base): HashedTransaction<CertificateTransaction> =>
    hashTransaction(withAttestation(of, { ...good, ...change }))
  const proofSet = (change: Partial<Attestation>, of = set): HashedTransaction<FourProofTransaction> =>
    hashTransaction(withAttestation(of, { ...goodSet, ...change }))
  const withText = (text: string): HashedTransaction<CertificateTransaction> => {
    const { request } = base
    const { validationContext } = request
    const metadata = [[ATTESTATION_KEY, text]] as const
    return hashTransaction({
      ...base,
      request: { ...request, validationContext: { ...validationContext, metadata } },
    })
  }
  const opening = (change: (opening: LeafOpening) => LeafOpening, at = 3): readonly LeafOpening[] =>
    good.openings.map((one, i) => (i === at ? change(one) : one))
  const flipped = (bytes: Uint8Array, at = 0): Uint8Array =>
    bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  /** A nonce beside one that is right: almost surely not right. */
  const wrongNonce = (nonce: bigint): bigint => BigInt.asUintN(64, nonce + 1n)

  it('takes what an operator attested, with either key', async () => {
    expect(chain.failuresOf(certificate({}))).toEqual([])
    expect(chain.failuresOf(proofSet({}))).toEqual([])
    const beta = { folder: spaceOf('beta'), commitment: betaSpace }
    const byBeta = await chain.attest(certificateOf('beta').transaction, 'beta', betaKey, beta)
    expect(chain.failuresOf(hashTransaction(byBeta))).toEqual([])
    const setByBeta = await chain.attest(setOf('beta').transaction, 'beta', betaKey, beta)
    expect(chain.failuresOf(hashTransaction(setByBeta))).toEqual([])
  })

  it('fits the wire: container, request and set are far below their bounds', () => {
    expect(encodeAttestation(good).length).toBeLessThan(40_000)
    expect(certificate({}).bytes.length).toBeLessThan(48_000)
    expect(proofSet({}).bytes.length).toBeLessThan(48_000)
  })

  type Make = () =>
    | HashedTransaction<ValidationTransaction>
    | Promise<HashedTransaction<ValidationTransaction>>
  const MISSING: Expected = (['space', 'stake', 'work', 'time'] as const).map((subject) => [
    subject,
    /^hypermesh.attestation is missing in validation_context.metadata$/,
  ])
  const malformed = (why: RegExp): Expected =>
    (['space', 'stake', 'work', 'time'] as const).map((subject) => [subject, why])

  const FAULTS: readonly (readonly [string, Make, Expected])[] = [
    ['no attestation', () => hashTransaction(base), MISSING],
    ['an empty one', () => withText(''), malformed(/^hypermesh.attestation is no attestation: /)],
    [
      'text that is no base64url',
      () => withText('a+b='),
      malformed(/is no attestation: it is not base64url/),
    ],
    [
      'a padded text',
      () => withText(`${encodeAttestation(good)}=`),
      malformed(/is no attestation: it is not base64url/),
    ],
    [
      'a text that is cut off',
      () => withText(encodeAttestation(good).slice(0, 400)),
      malformed(/is no attestation: /),
    ],
    [
      'another version',
      () => {
        const bytes = Buffer.from(encodeAttestation(good), 'base64url')
        bytes[0] = 2
        return withText(bytes.toString('base64url'))
      },
      malformed(/is no attestation: version 2, known is 1$/),
    ],
    [
      'another operator in it',
      () => certificate({ operatorId: 'beta' }),
      [['stake', /is by operator "beta", the request is by "alpha"$/], UNCHECKED],
    ],
    [
      'an anchor that was invented',
      async () =>
        certificate(
          await made(
            statementOf(base, { anchor: { height: asHeight(11), hash: 'ab'.repeat(32) as BlockHash } }),
          ),
        ),
      [UNCHECKED, ['time', /: anchor (ab){32} is not block 11, which is [0-9a-f]{64}$/]],
    ],
    [
      'an anchor that is too old',
      async () => certificate(await made(statementOf(base, { anchor: blockAt(4) }))),
      [UNCHECKED, ['time', /: anchor height 4 is 9 blocks old, the maximum is 8$/]],
    ],
    [
      'an anchor that is not there yet',
      async () =>
        certificate(await made(statementOf(base, { anchor: { ...blockAt(12), height: asHeight(13) } }))),
      [UNCHECKED, ['time', /: anchor height 13 is not below the block's 13$/]],
    ],
    [
      'the hash of another recent block',
      async () =>
        certificate(await made(statementOf(base, { anchor: { ...blockAt(11), height: asHeight(12) } }))),
      [UNCHECKED, ['time', /is not block 12, which is/]],
    ],
    [
      'one bit of the signature flipped',
      () => certificate({ signature: flipped(good.signature, 100) }),
      [['stake', /: the signature is not valid under the registered ml-dsa-65 key of operator "alpha"$/]],
    ],
    [
      'a signature that is cut off',
      () => certificate({ signature: good.signature.slice(0, -1) }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      'no signature',
      () => certificate({ signature: new Uint8Array(0) }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      "the signature of another operator's key",
      () =>
        certificate({
          signature: mlDsaOperatorKey(10).sign(stakeStatement(statementOf(base)), 'stake-attestation'),
        }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      'a signature for another purpose',
      () => certificate({ signature: alphaKey.sign(stakeStatement(statementOf(base)), 'operator-key') }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      'a Falcon signature under an ML-DSA key',
      () => certificate({ signature: betaKey.sign(stakeStatement(statementOf(base)), 'stake-attestation') }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      'a signature for another network',
      () =>
        certificate({
          signature: alphaKey.sign(
            stakeStatement(statementOf(base, { genesisHash: 'cd'.repeat(32) as Statement['genesisHash'] })),
            'stake-attestation',
          ),
        }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      'a signature over another proof hash',
      () =>
        certificate({
          signature: alphaKey.sign(
            stakeStatement({ ...statementOf(base), proofHash: statementOf(set).proofHash }),
            'stake-attestation',
          ),
        }),
      [['stake', /: the signature is not valid/]],
    ],
    [
      'work that is not enough',
      () => certificate({ workNonce: wrongNonce(good.workNonce) }),
      [UNCHECKED, ['work', /: work nonce \d+ gives \d+ zero bits, required are 16 \(network policy\)$/]],
    ],
    [
      'work for another anchor',
      async () =>
        certificate({ workNonce: (await made(statementOf(base, { anchor: blockAt(11) }))).workNonce }),
      [UNCHECKED, ['work', /required are 16/]],
    ],
    [
      'work for another sequence',
      async () => certificate({ ...(await made(statementOf(base, { sequence: 8n }))), sequence: 9n }),
      [UNCHECKED, ['work', /required are 16/]],
    ],
    [
      'one bit of a leaf flipped',
      () => certificate({ openings: opening(({ leaf, path }) => ({ leaf: flipped(leaf, 1_023), path })) }),
      [
        ['space', /: opening 3, of leaf \d+, fails: it has root [0-9a-f]{64}, registered is [0-9a-f]{64}$/],
        UNCHECKED,
      ],
    ],
    [
      'one bit of a path flipped',
      () =>
        certificate({
          openings: opening(({ leaf, path }) => ({
            leaf,
            path: path.map((h, i) => (i === 9 ? flipped(h) : h)),
          })),
        }),
      [['space', /: opening 3, of leaf \d+, fails: it has root/], UNCHECKED],
    ],
    [
      'a leaf in the place of another',
      () => certificate({ openings: opening(() => differentOpening(), 3) }),
      [['space', /: opening 3, of leaf \d+, fails: it has root/], UNCHECKED],
    ],
    [
      'a leaf that is too short',
      () => certificate({ openings: opening(({ leaf, path }) => ({ leaf: leaf.slice(1), path })) }),
      [['space', /fails: the leaf has 1023 bytes, not 1024$/], UNCHECKED],
    ],
    [
      'a path that is too short',
      () => certificate({ openings: opening(({ leaf, path }) => ({ leaf, path: path.slice(1) })) }),
      [['space', /fails: the path has 9 hashes, not 10$/], UNCHECKED],
    ],
    [
      'an opening too few',
      () => certificate({ openings: good.openings.slice(1) }),
      [['space', /^hypermesh.attestation opens 15 leaves, required are 16$/], UNCHECKED],
    ],
    [
      'no openings',
      () => certificate({ openings: [] }),
      [['space', / opens 0 leaves, required are 16$/], UNCHECKED],
    ],
    [
      'openings drawn for another anchor',
      async () =>
        certificate({ openings: (await made(statementOf(base, { anchor: blockAt(11) }))).openings }),
      [['space', /: opening \d+, of leaf \d+, fails: it has root/], UNCHECKED],
    ],
    [
      'openings of the space of another operator',
      async () =>
        certificate({
          openings: await openSpaceLeaves(spaceOf('beta'), betaSpace, drawnLeaves(statementOf(base), 4_096n)),
        }),
      [['space', /: opening 0, of leaf \d+, fails: the leaf has 256 bytes, not 1024$/], UNCHECKED],
    ],
    [
      'an attestation of another request: another common name',
      () =>
        certificate(
          {},
          certificateOf('alpha', ALPHA_NAMES, { certificate: { commonName: 'evil.example', sanEntries: [] } })
            .transaction,
        ),
      [UNCHECKED, ['work', /required are 16/]],
    ],
    [
      'the same with work of its own',
      async () => {
        const { transaction } = certificateOf('alpha', ALPHA_NAMES, {
          certificate: { commonName: 'evil.example' },
        })
        return certificate({ workNonce: await findWork(statementOf(transaction), 16) }, transaction)
      },
      [['stake', /: the signature is not valid/]],
    ],
    [
      'a replay on another node of the same operator',
      async () => {
        const { transaction } = certificateOf('alpha-node', ALPHA_NAMES)
        return certificate({ workNonce: await findWork(statementOf(transaction), 16) }, transaction)
      },
      [['stake', /: the signature is not valid/]],
    ],
    [
      'a replay under another request id',
      async () => {
        const { transaction } = certificateOf('alpha', ALPHA_NAMES, { top: { requestId: 'again' } })
        return certificate({ workNonce: await findWork(statementOf(transaction), 16) }, transaction)
      },
      [['stake', /: the signature is not valid/]],
    ],
    [
      'the attestation of alpha on a request of beta',
      () => certificate({}, certificateOf('beta').transaction),
      [
        ['space', /: opening 0, of leaf \d+, fails: the leaf has 1024 bytes, not 256$/],
        ['stake', /is by operator "alpha", the request is by "beta"$/],
        UNCHECKED,
        ['work', /required are 16/],
      ],
    ],
    [
      'an operator without space',
      () => certificate({}, certificateOf('gamma').transaction),
      [
        ['space', /^total_storage 1048576 is above the registered space 0/],
        ['space', /: operator "gamma" has no registered space to open$/],
        ['stake', /is by operator "alpha"/],
        UNCHECKED,
        ['work', /required are 16/],
      ],
    ],
    [
      'a requester that nobody registered',
      () => certificate({}, certificateOf('nobody', ALPHA_NAMES).transaction),
      [
        ['space', / cannot be checked: the request's node_id is no operator's$/],
        ['stake', / cannot be checked: the request's node_id is no operator's$/],
        ['work', / cannot be checked: the request's node_id is no operator's$/],
        ['time', / cannot be checked: the request's node_id is no operator's$/],
        ['request', /^certificate_request.node_id "nobody" is no registered operator/],
      ],
    ],
    [
      'a foreign stake holder, all else right',
      async () => {
        const { transaction } = certificateOf('alpha', ['beta', 'alpha', 'alpha'])
        return certificate(await made(statementOf(transaction)), transaction)
      },
      [['stake', /^stake_holder_id "beta" belongs to operator "beta"/]],
    ],
    [
      'a stale proof, all else right',
      async () => {
        const { transaction } = certificateOf('alpha', ALPHA_NAMES, {
          stake: { stakeTimestamp: { secs: 1_750_000_000n, nanos: 0 } },
        })
        return certificate(await made(statementOf(transaction)), transaction)
      },
      [['stake', /^stake_timestamp is .* s old/]],
    ],
    [
      'a set without attestation',
      () => hashTransaction(set),
      [
        ['space', /^allocation_proof is no attestation: /],
        ['stake', /^operation_signature is no attestation: /],
        ['work', /^computational_proof is no attestation: /],
        ['time', /^temporal_proof is no attestation: /],
      ],
    ],
    [
      'a set with one bit of its signature flipped',
      () => proofSet({ signature: flipped(goodSet.signature, 50) }),
      [['stake', /^operation_signature: the signature is not valid/]],
    ],
    [
      'a set with another anchor hash',
      async () =>
        proofSet(await made(statementOf(set, { anchor: { ...blockAt(12), hash: blockAt(10).hash } }))),
      [
        ['stake', /^operation_signature: the signature is not checked/],
        ['time', /^temporal_proof: anchor [0-9a-f]{64} is not block 12/],
      ],
    ],
    [
      'a set with too little work',
      () => proofSet({ workNonce: wrongNonce(goodSet.workNonce) }),
      [UNCHECKED, ['work', /^computational_proof: work nonce .* required are 16 \(network policy\)$/]],
    ],
    [
      'a set that does less work than it says',
      async () => {
        const { transaction } = setOf('alpha', { work: { difficultyTarget: 200 } })
        return proofSet(await made(statementOf(transaction)), transaction)
      },
      [UNCHECKED, ['work', /^computational_proof: .* required are 200 \(difficulty_target\)$/]],
    ],
    [
      'a set with a wrong leaf',
      () =>
        proofSet({
          openings: goodSet.openings.map((one, i) => (i === 15 ? { ...one, leaf: flipped(one.leaf) } : one)),
        }),
      [['space', /^allocation_proof: opening 15, of leaf/], UNCHECKED],
    ],
    [
      'a set under another sequence number',
      async () => {
        const { transaction } = setOf('alpha', { time: { sequenceNumber: 2n } })
        return proofSet({ workNonce: await findWork(statementOf(transaction), 16) }, transaction)
      },
      [['stake', /^operation_signature: the signature is not valid/]],
    ],
    [
      'a set for another asset',
      async () => {
        const { transaction } = setOf('alpha', { top: { assetId: 'other' } })
        return proofSet({ workNonce: await findWork(statementOf(transaction), 16) }, transaction)
      },
      [['stake', /^operation_signature: the signature is not valid/]],
    ],
  ]

  function blockAt(height: number): Statement['anchor'] {
    const block = chain.blocks[height - 1]?.block
    if (block === undefined) throw new Error(`no block ${height}`)
    return { height: block.header.height, hash: block.hash }
  }

  function differentOpening(): LeafOpening {
    const drawn = drawnLeaves(statementOf(base), 1_024n)
    const at = drawn.findIndex((leaf) => leaf !== drawn[3])
    return good.openings[at] as LeafOpening
  }

  it.each(FAULTS)('refuses %s', async (_name, make, expected) => {
    expectFailures(chain.failuresOf(await make()), expected)
  })

  it('is a catalogue of forty faults and more', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(40)
  })

  it('refuses what was spent: sequence, work nonce, request', async () => {
    const own = network('attested')
    const space = { folder: spaceOf('alpha'), commitment: alphaSpace }
    const first = hashTransaction(await own.attest(base, 'alpha', alphaKey, space, { sequence: 7n }))
    const changes = own.decided(first).at(-1)?.changes
    expect(changes?.nullifiers).toHaveLength(2)
    expect(changes?.verdicts).toMatchObject([{ status: 'valid', sequence: { number: 7n } }])

    const second = certificateOf('alpha', ALPHA_NAMES, {
      top: { requestId: 'second' },
      time: timeProof({ nonce: 5n }),
    }).transaction
    const late = hashTransaction(await own.attest(second, 'alpha', alphaKey, space, { sequence: 7n }))
    expectFailures(own.failuresOf(late), [
      UNCHECKED,
      ['time', /^attested sequence 7 of operator "alpha" is replayed: the last one recorded is 7$/],
    ])
    expect(
      own.failuresOf(hashTransaction(await own.attest(second, 'alpha', alphaKey, space, { sequence: 8n }))),
    ).toEqual([])

    // Where no bits are asked for, any nonce is work, and a spent one is refused for being spent.
    const easy = new OperatorChain(
      { ...uniformAssurance('attested'), minimumWorkBits: 0 },
      { epochBlocks: 1_000 },
    )
    easy.next([easy.claim(4, 'register', alphaKey, { aliases: ALPHA_NAMES.slice(1), space: alphaSpace })])
    const done = await easy.attest(base, 'alpha', alphaKey, space)
    easy.decided(hashTransaction(done))
    const { workNonce } = attestationOf(done)
    const again = attestationOf(await easy.attest(second, 'alpha', alphaKey, space, { sequence: 2n }))
    expectFailures(easy.failuresOf(hashTransaction(withAttestation(second, { ...again, workNonce }))), [
      UNCHECKED,
      ['work', /: work nonce \d+ of operator "alpha" is replayed: a valid request has spent it$/],
    ])
  })
})
