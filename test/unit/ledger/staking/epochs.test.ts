/** Epochs (R13): where they end, what fillers may be, and how a light client follows the set. */
import { describe, expect, it } from 'vitest'
import { hashBlock } from '../../../../src/codec/block.ts'
import { commitSigningPayload } from '../../../../src/codec/signing-payloads.ts'
import { SIGNATURE_CONTEXTS } from '../../../../src/crypto/contexts.ts'
import { isFiller } from '../../../../src/ledger/chain-rules.ts'
import { checkBlock } from '../../../../src/ledger/check-block.ts'
import { followHandOver } from '../../../../src/ledger/hand-over.ts'
import { quorumCheck } from '../../../../src/ledger/quorum-check.ts'
import { validatorSetRoot } from '../../../../src/ledger/staking/staking-root.ts'
import type { BlockHeader } from '../../../../src/types/block.ts'
import type { QuorumCertificate } from '../../../../src/types/certificates.ts'
import { epochEndHeight, epochOf } from '../../../../src/types/epochs.ts'
import { asEpoch, asHeight, asValidatorIndex, type Hex32 } from '../../../../src/types/primitives.ts'
import type { ValidatorSet } from '../../../../src/types/validator-set.ts'
import { keyOf, StakingChain } from '../../../support/staking-chain.ts'
import { PORTS } from '../fixtures.ts'

describe('the arithmetic', () => {
  it.each([
    [0, 4, 0],
    [1, 4, 0],
    [4, 4, 0],
    [5, 4, 1],
    [8, 4, 1],
    [9, 4, 2],
    [7, 1, 6],
    [1_000_000, 0, 0],
  ])('height %d with epochs of %d is in epoch %d', (height, epochBlocks, epoch) => {
    expect(epochOf(asHeight(height), epochBlocks)).toBe(epoch)
  })

  it('ends an epoch with the last height of it', () => {
    expect([0, 1, 2].map((epoch) => epochEndHeight(asEpoch(epoch), 4))).toEqual([4, 8, 12])
    expect(epochEndHeight(asEpoch(0), 0)).toBeNull()
    for (let height = 1; height < 40; height++) {
      const epoch = epochOf(asHeight(height), 7)
      expect(epochEndHeight(epoch, 7)).toBeGreaterThanOrEqual(height)
      expect((epochEndHeight(epoch, 7) ?? 0) - height).toBeLessThan(7)
    }
  })
})

describe('a block', () => {
  const ended = () => {
    const chain = new StakingChain()
    chain.next([chain.signed(1, { kind: 'leave' })])
    return chain.until(4)
  }
  const refusal = (chain: StakingChain, change: Partial<BlockHeader>) => {
    const { executed } = build(chain)
    const block = hashBlock({ ...executed.block, header: { ...executed.block.header, ...change } })
    const checked = checkBlock(block, chain.parent, chain.genesis.rules)
    return checked.ok ? null : checked.code
  }
  const build = (chain: StakingChain) => {
    const before = chain.parent
    const executed = chain.next()
    chain.parent = before
    return { executed }
  }

  it('carries the root of the set that decides the next one', () => {
    const chain = new StakingChain()
    const first = chain.next([chain.signed(1, { kind: 'leave' })])
    expect(first.block.header.validatorSetRoot).toBe(validatorSetRoot(chain.genesis.state.staking.validators))
    chain.until(4)
    expect(chain.members()).toEqual([0, 2, 3])
    expect(chain.parent.header.validatorSetRoot).toBe(validatorSetRoot(chain.staking.validators))
    expect(chain.parent.header.validatorSetRoot).not.toBe(first.block.header.validatorSetRoot)
    expect(refusal(chain, { validatorSetRoot: first.block.header.validatorSetRoot })).toBe(
      'validator-set-root',
    )
    expect(refusal(chain, { validatorSetRoot: '00'.repeat(32) as Hex32 })).toBe('validator-set-root')
  })

  it('is of the epoch of its height, or a filler of the one that its parent is of', () => {
    const chain = ended()
    expect(refusal(chain, {})).toBeNull()
    expect(refusal(chain, { epoch: asEpoch(2) })).toBe('epoch')
    expect(refusal(chain, { epoch: asEpoch(0) })).toBeNull()
    const later = ended().until(6)
    expect(refusal(later, { epoch: asEpoch(0) })).toBe('epoch')
    expect(refusal(new StakingChain().until(2), { epoch: asEpoch(1) })).toBe('epoch')
  })

  it('that is a filler holds nothing and changes nothing, at any height above its epoch', () => {
    const chain = ended()
    const { parent, staking } = chain
    const transfer = chain.signed(4, { kind: 'bond', amount: 1n })
    expect(chain.fields().epoch).toBe(1)
    for (let i = 0; i < 6; i++) {
      const filler = chain.next([], { epoch: asEpoch(0) })
      expect(isFiller(filler.block.header, 4)).toBe(true)
      expect(filler.stateRoot).toBe(parent.stateRoot)
      expect(filler.changes.staking).toBe(staking)
    }
    expect(chain.height).toBe(10)
    const onFiller = chain.parent
    const last = chain.next([], { epoch: asEpoch(0) })
    const next = hashBlock({ ...last.block, header: { ...last.block.header, epoch: asEpoch(2) } })
    expect(checkBlock(next, onFiller, chain.genesis.rules)).toMatchObject({
      code: 'epoch',
      detail: expect.stringMatching(/^it builds on a filler/),
    })
    const full = ended()
    const before = full.parent
    const { block } = full.next([transfer])
    const header = { ...block.header, epoch: asEpoch(0) }
    const packed = checkBlock(hashBlock({ ...block, header }), before, full.genesis.rules)
    expect(packed).toMatchObject({ ok: false, code: 'filler-transactions' })
  })

  it('of a builder that is asked for a filler leaves every candidate for later', () => {
    const chain = ended()
    const transfer = chain.signed(4, { kind: 'bond', amount: 1n })
    const filler = chain.next([transfer], { epoch: asEpoch(0) })
    expect(filler.block.transactions).toEqual([])
  })
})

describe('a light client', () => {
  const chain = new StakingChain()
  chain.next([
    chain.signed(1, { kind: 'leave' }),
    chain.signed(4, { kind: 'bond', amount: 500n }),
    chain.signed(4, { kind: 'join' }, { sequence: 2 }),
  ])
  const middle = chain.until(3).parent.header
  chain.until(4)
  const { rules } = chain.genesis
  const { header, hash, stateRoot } = chain.parent
  const trusted: ValidatorSet = { epoch: asEpoch(0), validators: chain.genesis.state.staking.validators }
  const next: ValidatorSet = { epoch: asEpoch(1), validators: chain.staking.validators }

  function certificate(voters = [0, 1, 2], change: Partial<QuorumCertificate> = {}): QuorumCertificate {
    const { epoch, view, height } = header
    const about = { kind: 'commit' as const, epoch, view, height, blockHash: hash, stateRoot, ...change }
    const payload = commitSigningPayload(rules.genesisHash, { ...about, stateRoot })
    const signatures = voters.map((voter) => ({
      voter: asValidatorIndex(voter),
      signature: keyOf(voter).sign(payload, SIGNATURE_CONTEXTS.commit),
      commits: null,
    }))
    return { ...about, signatures, ...change }
  }
  const check = (of: {
    trusted?: ValidatorSet
    header?: BlockHeader
    certificate?: QuorumCertificate
    next?: ValidatorSet
  }) => {
    const set = of.trusted ?? trusted
    const proof = {
      header: of.header ?? header,
      certificate: of.certificate ?? certificate(),
      validators: (of.next ?? next).validators,
    }
    const isCertified = quorumCheck(rules.genesisHash, PORTS.verifySignature)
    const { epochBlocks } = rules.parameters
    const result = followHandOver(set, proof, { genesisHash: rules.genesisHash, epochBlocks, isCertified })
    return result.ok ? result.value : result.code
  }

  it('goes on with the set that a quorum of the old one certified', () => {
    expect(check({})).toEqual(next)
    expect(check({ certificate: certificate([0, 1, 2, 3]) })).toEqual(next)
  })

  it.each<[string, Parameters<typeof check>[0]]>([
    ['another network', { header: { ...header, genesisHash: '11'.repeat(32) as never } }],
    ['another epoch than the trusted one', { trusted: { ...trusted, epoch: asEpoch(1) } }],
    [
      'a block in the middle, which names the old set',
      { header: middle, next: { ...trusted, epoch: asEpoch(1) } },
    ],
    ['another set', { next: { ...trusted, epoch: asEpoch(1) } }],
    ['a certificate of another kind', { certificate: certificate([0, 1, 2], { kind: 'pre-commit' }) }],
    [
      'a certificate over another block',
      { certificate: certificate([0, 1, 2], { blockHash: '22'.repeat(32) as never }) },
    ],
    ['a certificate without state', { certificate: { ...certificate(), stateRoot: null } }],
    ['half of the weight', { certificate: certificate([0, 1]) }],
    ['one voter twice', { certificate: certificate([0, 0, 0]) }],
    [
      'a signature over another state',
      { certificate: { ...certificate(), stateRoot: '33'.repeat(32) as never } },
    ],
  ])('does not go on by %s', (_what, of) => {
    expect(check(of)).toBe('wrong-hand-over')
  })
})
