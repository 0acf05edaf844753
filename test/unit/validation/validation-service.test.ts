/** The validation service over a fake network: stored answers, joining, deadlines, status, bounds. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { answerJson } from '../../../src/rpc/trustchain-json-response.ts'
import type { CertificateValidationRequest } from '../../../src/types/validation-request.ts'
import type { RuleFailure } from '../../../src/types/verdict.ts'
import type { AuditedCall, ObservedCall, RefusalLimit } from '../../../src/validation/ports.ts'
import type { ValidationLimits } from '../../../src/validation/validation-limits.ts'
import { ValidationService } from '../../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork, verdictOf } from '../../support/fake-network.ts'
import { certificateRequest, fourProofRequest } from '../../support/requests.ts'

let network: FakeNetwork
let clock: FakeClock
let service: ValidationService

function makeService(limits: Partial<ValidationLimits> = {}): ValidationService {
  return new ValidationService({ ...network, clock, nodeName: 'node-1', version: '1.2.3', limits })
}

beforeEach(() => {
  network = new FakeNetwork()
  clock = new FakeClock()
  // The ports are spread into the options, so they must be own properties.
  service = makeService()
})
afterEach(() => {
  service.close()
  expect(network.listeners).toBe(0)
})

const hashed = (request: CertificateValidationRequest) =>
  hashTransaction({ kind: 'validate-certificate', request })

describe('a request', () => {
  it('with a field that no block may carry is refused here, not by the other nodes', async () => {
    const request = { ...certificateRequest(), requestId: 'x'.repeat(9_000) }
    const answer = await service.validateCertificate(request, 'a')
    expect(answer.result).toMatchObject({ kind: 'error', errorCode: 'INVALID_PROOF_FORMAT' })
    expect(network.submitted).toEqual([])
  })
})

describe('a verdict', () => {
  it('of no failure is Valid with the figures of the record and nothing else', async () => {
    const request = certificateRequest()
    const asked = service.validateCertificate(request, 'a')
    network.finalize(verdictOf(hashed(request)))
    expect(await asked).toEqual({
      result: { kind: 'valid' },
      proofHash: new Uint8Array(32).fill(0xab),
      validatorId: 'node-1',
      validatedAt: { secs: 1_760_000_001n, nanos: 234_000_000 },
      metrics: { validationTimeUs: 1_234n, validatorNodes: 3, confidenceLevel: 0.75, networkLoad: 0.25 },
      details: {
        proofResults: {
          spaceProofValid: true,
          stakeProofValid: true,
          workProofValid: true,
          timeProofValid: true,
        },
        bftStatus: { byzantineNodesDetected: 0, faultToleranceMaintained: true, recoveryActionTaken: null },
        performanceStats: {
          consensusLatencyMs: 21n,
          throughputOpsPerSec: 12.5,
          networkOverheadBytes: 2_048n,
        },
      },
    })
  })

  const cases: readonly [string, readonly RuleFailure[], readonly string[], readonly boolean[]][] = [
    ['space', [{ subject: 'space', reason: 'x' }], ['space_proof'], [false, true, true, true]],
    ['stake', [{ subject: 'stake', reason: 'x' }], ['stake_proof'], [true, false, true, true]],
    ['work', [{ subject: 'work', reason: 'x' }], ['work_proof'], [true, true, false, true]],
    ['time', [{ subject: 'time', reason: 'x' }], ['time_proof'], [true, true, true, false]],
    ['the whole request', [{ subject: 'request', reason: 'x' }], [], [true, true, true, true]],
    ['who asks', [{ subject: 'requester', reason: 'x' }], ['byzantine_node'], [true, true, true, true]],
    [
      'several, named once each and in the order of the wire',
      [
        { subject: 'time', reason: 'late' },
        { subject: 'space', reason: 'small' },
        { subject: 'time', reason: 'replayed' },
      ],
      ['space_proof', 'time_proof'],
      [false, true, true, false],
    ],
  ]
  it.each(cases)('against %s is Invalid and says so', async (_name, failures, failedProofs, flags) => {
    network.answersAtOnce = true
    network.failures = failures
    const answer = await service.validateCertificate(certificateRequest(), 'a')
    const reason = failures.map((failure) => failure.reason).join('; ')
    expect(answer.result).toEqual({ kind: 'invalid', failedProofs, reason })
    expect(answer.proofHash).toBeNull()
    const { spaceProofValid, stakeProofValid, workProofValid, timeProofValid } = answer.details.proofResults
    expect([spaceProofValid, stakeProofValid, workProofValid, timeProofValid]).toEqual(flags)
  })

  it.each([
    [266n, 400n, false],
    [267n, 400n, true],
    [2n, 3n, false],
    [3n, 3n, true],
  ])('by %d of %d stake keeps fault tolerance: %s', async (agreeingStake, eligibleStake, expected) => {
    const request = certificateRequest()
    const verdict = verdictOf(hashed(request))
    const agreeing = { validators: 3, stake: agreeingStake }
    network.finalize({ ...verdict, record: { ...verdict.record, agreeing, eligibleStake } })
    const answer = await service.validateCertificate(request, 'a')
    expect(answer.details.bftStatus.faultToleranceMaintained).toBe(expected)
  })
})

describe('the same question', () => {
  it('is answered from the store, with the same bytes, and goes nowhere', async () => {
    network.answersAtOnce = true
    const first = answerJson(await service.validateCertificate(certificateRequest(), 'a'))
    clock.advance(60_000)
    network.notReady = 'syncing'
    const again = answerJson(await service.validateCertificate(certificateRequest(), 'b'))
    expect(again).toBe(first)
    expect(network.submitted).toHaveLength(1)
  })

  it('asked while under way joins the first, for both kinds of request', async () => {
    const asked = [
      service.validateProofs(fourProofRequest(), 'a'),
      service.validateProofs(fourProofRequest(), 'b'),
      service.validateProofs(fourProofRequest(), 'c'),
    ]
    expect(network.submitted).toHaveLength(1)
    expect(service.metrics().pendingValidations).toBe(1)
    network.finalize(verdictOf(hashTransaction({ kind: 'validate-proofs', request: fourProofRequest() })))
    const answers = (await Promise.all(asked)).map(answerJson)
    expect(new Set(answers).size).toBe(1)
    expect(clock.timers).toBe(0)
  })

  it('asked again after a deadline is given to the network again, and joined by the next', async () => {
    const first = service.validateCertificate(certificateRequest(), 'a')
    clock.advance(8_000)
    expect((await first).result).toMatchObject({ errorCode: 'VALIDATION_TIMEOUT' })
    const second = service.validateCertificate(certificateRequest(), 'a')
    const third = service.validateCertificate(certificateRequest(), 'a')
    expect(network.submitted).toHaveLength(2)
    network.finalize(verdictOf(hashed(certificateRequest())))
    expect((await second).result.kind).toBe('valid')
    expect((await third).result.kind).toBe('valid')
  })
})

describe('without a verdict', () => {
  it('the caller is told at the deadline, not before, and the status has it later', async () => {
    let answered = false
    const request = certificateRequest('slow')
    const asked = service.validateCertificate(request, 'a').finally(() => {
      answered = true
    })
    clock.advance(7_999)
    await Promise.resolve()
    expect(answered).toBe(false)
    clock.advance(1)
    expect((await asked).result).toMatchObject({ kind: 'error', errorCode: 'VALIDATION_TIMEOUT' })
    expect(service.status('slow').result.kind).toBe('pending')
    network.finalize(verdictOf(hashed(request)))
    expect(service.status('slow').result.kind).toBe('valid')
  })

  it('an error answer has every flag false, every figure zero and no hash', () => {
    const answer = service.status('nobody asked this')
    expect(answer.result).toMatchObject({ kind: 'error', errorCode: 'REQUEST_NOT_FOUND' })
    expect(answer.proofHash).toBeNull()
    expect(Object.values(answer.details.proofResults)).toEqual([false, false, false, false])
    expect(answer.details.bftStatus.faultToleranceMaintained).toBe(false)
    expect(answer.validatedAt).toEqual({ secs: 1_760_000_000n, nanos: 0 })
  })

  it('an unready node says why and keeps nothing', async () => {
    network.notReady = 'still syncing: 5 of 10 blocks'
    const answer = await service.validateCertificate(certificateRequest(), 'a')
    expect(answer.result).toEqual({
      kind: 'error',
      errorCode: 'CONSENSUS_NOT_INITIALIZED',
      message: 'still syncing: 5 of 10 blocks',
    })
    expect(network.submitted).toHaveLength(0)
    expect(service.health()).toEqual({
      status: 'not-ready',
      service: 'hypermesh-consensus',
      version: '1.2.3',
      reason: 'still syncing: 5 of 10 blocks',
    })
  })

  it.each([
    ['full', 'NODE_BUSY', '; try again in 1 s', 1_000],
    ['source-budget', 'NODE_BUSY', '; try again in 1 s', 1_000],
    ['too-large', 'INVALID_PROOF_FORMAT', '', undefined],
    ['staking-amount', 'INTERNAL_CONSENSUS_ERROR', '', undefined],
  ] as const)(
    'a request that the pool refuses as %s is not under way',
    async (code, errorCode, advice, retryAfterMs) => {
      network.refusal = code
      const answer = await service.validateCertificate(certificateRequest('x'), 'a')
      expect(answer.result).toEqual({
        kind: 'error',
        errorCode,
        message: `the request was not taken (${code}): said the pool${advice}`,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      })
      expect(service.status('x').result).toMatchObject({ errorCode: 'REQUEST_NOT_FOUND' })
    },
  )

  it('who asks and is barred is told why, and its request goes nowhere; a verdict that is there stays', async () => {
    service.close()
    const barred: string[] = []
    service = new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1.2.3',
      barredRequester: (transaction) => {
        barred.push(transaction.kind)
        return 'node_id "x" is excluded'
      },
    })
    const error = { kind: 'error', errorCode: 'BYZANTINE_NODE_DETECTED', message: 'node_id "x" is excluded' }
    expect((await service.validateCertificate(certificateRequest(), 'a')).result).toEqual(error)
    expect((await service.validateProofs(fourProofRequest(), 'a')).result).toEqual(error)
    expect(barred).toEqual(['validate-certificate', 'validate-proofs'])
    expect(network.submitted).toEqual([])
    network.finalize(verdictOf(hashed(certificateRequest())))
    expect((await service.validateCertificate(certificateRequest(), 'a')).result).toEqual({ kind: 'valid' })
  })

  it('a request that is final in the pool and not yet in the store waits for the feed', async () => {
    network.refusal = 'already-final'
    const asked = service.validateCertificate(certificateRequest(), 'a')
    network.finalize(verdictOf(hashed(certificateRequest())))
    expect((await asked).result.kind).toBe('valid')
  })

  it('a request beyond what a block can hold is refused by its size', async () => {
    const request = fourProofRequest()
    const { spaceProof, workProof, timeProof, stakeProof } = request.proofSet
    const bytes = new Uint8Array(72 * 1_024)
    const accessPermissions = Array.from({ length: 256 }, () => 'x'.repeat(1_024))
    const proofSet = {
      spaceProof: { ...spaceProof, allocationProof: bytes },
      stakeProof: { ...stakeProof, accessPermissions },
      workProof: { ...workProof, computationalProof: bytes },
      timeProof: { ...timeProof, temporalProof: bytes },
    }
    const answer = await service.validateProofs({ ...request, proofSet }, 'a')
    expect(answer.result).toMatchObject({ errorCode: 'INVALID_PROOF_FORMAT' })
  })
})

describe('status', () => {
  it('of a set is not what a certificate request says under its key', () => {
    const set = hashTransaction({ kind: 'validate-proofs', request: fourProofRequest() })
    const claim = hashed({ ...certificateRequest(), requestId: set.requestKey })
    network.finalize(verdictOf(claim, [{ subject: 'space', reason: 'too little' }]))
    network.finalize(verdictOf(set))
    expect(service.status(set.requestKey).result.kind).toBe('valid')
  })

  it('finds a four-proof set by its request key', async () => {
    const transaction = hashTransaction({ kind: 'validate-proofs', request: fourProofRequest() })
    const asked = service.validateProofs(fourProofRequest(), 'a')
    expect(service.status(transaction.requestKey).result.kind).toBe('pending')
    network.finalize(verdictOf(transaction))
    await asked
    expect(service.status(transaction.requestKey).result.kind).toBe('valid')
  })

  it('expects the verdict after the mean latency so far, and never in the past', async () => {
    const measured = service.validateCertificate(certificateRequest('1'), 'a')
    clock.advance(100)
    network.finalize(verdictOf(hashed(certificateRequest('1'))))
    await measured
    const asked = service.validateCertificate(certificateRequest('2'), 'a')
    const estimate = () => {
      const { result } = service.status('2')
      return result.kind === 'pending' ? result.estimatedCompletion : result
    }
    expect(estimate()).toEqual({ secs: 1_760_000_000n, nanos: 200_000_000 })
    clock.advance(1_000)
    expect(estimate()).toEqual({ secs: 1_760_000_001n, nanos: 100_000_000 })
    network.finalize(verdictOf(hashed(certificateRequest('2'))))
    await asked
  })

  it('forgets what has had no verdict for long', async () => {
    const asked = service.validateCertificate(certificateRequest('lost'), 'a')
    clock.advance(8_000)
    await asked
    clock.advance(112_001)
    expect(service.status('lost').result).toMatchObject({ errorCode: 'REQUEST_NOT_FOUND' })
  })
})

describe('bounds', () => {
  const limits: RefusalLimit[] = []
  const boundedService = (bounds: Partial<ValidationLimits>): ValidationService => {
    service.close()
    limits.length = 0
    return new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1.2.3',
      limits: bounds,
      refused: (limit) => limits.push(limit),
    })
  }

  it('refuses beyond its table, and takes again when old ones are forgotten', async () => {
    service = boundedService({ requestsInFlightMax: 2 })
    const asked = ['1', '2'].map((id) => service.validateCertificate(certificateRequest(id), 'a'))
    const refused = await service.validateCertificate(certificateRequest('3'), 'a')
    expect(refused.result).toEqual({
      kind: 'error',
      errorCode: 'NODE_BUSY',
      message: '2 requests are under way here, which is the limit; try again in 1 s',
      retryAfterMs: 1_000,
    })
    expect(limits).toEqual(['node-in-flight'])
    clock.advance(8_000)
    await Promise.all(asked)
    clock.advance(120_000)
    const taken = service.validateCertificate(certificateRequest('3'), 'a')
    network.finalize(verdictOf(hashed(certificateRequest('3'))))
    expect((await taken).result.kind).toBe('valid')
  })

  it.each([
    ['a peer', 'peer-12D3KooWa', 'peer-12D3KooWa', 'peer-12D3KooWb'],
    ['an address', '192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'],
    ['an IPv6 /64', '2001:db8::1', '2001:db8::ffff:1', '2001:db8:0:1::1'],
  ])('leaves room for others when %s has its share under way', async (_, client, sameClient, other) => {
    service = boundedService({ requestsPerClientMax: 2 })
    const asked = ['1', '2'].map((id) => service.validateCertificate(certificateRequest(id), client))
    const refused = await service.validateCertificate(certificateRequest('3'), sameClient)
    expect(refused.result).toEqual({
      kind: 'error',
      errorCode: 'TOO_MANY_REQUESTS',
      message: '2 requests of this client are under way, the limit for one client; try again in 1 s',
      retryAfterMs: 1_000,
    })
    expect(limits).toEqual(['client-in-flight'])
    const others = service.validateCertificate(certificateRequest('4'), other)
    network.finalize(...['1', '2', '4'].map((id) => verdictOf(hashed(certificateRequest(id)))))
    const kinds = (await Promise.all([...asked, others])).map(({ result }) => result.kind)
    expect(kinds).toEqual(['valid', 'valid', 'valid'])
  })

  it('counts calls that wait for one and the same request too, and gives their places back', async () => {
    service = boundedService({ requestsPerClientMax: 2 })
    const ask = () => service.validateCertificate(certificateRequest('1'), '192.0.2.1')
    const asked = [ask(), ask()]
    expect((await ask()).result).toMatchObject({ errorCode: 'TOO_MANY_REQUESTS' })
    clock.advance(8_000)
    await Promise.all(asked)
    const again = [ask(), ask()]
    network.finalize(verdictOf(hashed(certificateRequest('1'))))
    expect((await Promise.all(again)).map(({ result }) => result.kind)).toEqual(['valid', 'valid'])
  })

  it('lets a client on this machine have all there is', async () => {
    service = boundedService({ requestsPerClientMax: 1 })
    const asked = ['1', '2', '3'].map((id) => service.validateCertificate(certificateRequest(id), '::1'))
    network.finalize(...['1', '2', '3'].map((id) => verdictOf(hashed(certificateRequest(id)))))
    expect((await Promise.all(asked)).map(({ result }) => result.kind)).toEqual(['valid', 'valid', 'valid'])
  })

  it('refuses new requests while those under way wait too long, and not when nothing is answered at all', async () => {
    service = boundedService({})
    const ask = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        service.validateCertificate(certificateRequest(`${from + i}`), '::1'),
      )
    const finalize = (from: number, count: number) =>
      network.finalize(
        ...Array.from({ length: count }, (_, i) => verdictOf(hashed(certificateRequest(`${from + i}`)))),
      )
    const first = ask(0, 300)
    clock.advance(2_001)
    // Nothing was answered so far: without its quorum a network keeps what it is asked.
    const second = ask(300, 1)
    finalize(0, 45)
    const [refused] = await Promise.all(ask(400, 1))
    expect(refused?.result).toEqual({
      kind: 'error',
      errorCode: 'NODE_BUSY',
      message:
        'more is asked than the network judges, and what is under way here would time out; try again in 1 s',
      retryAfterMs: 1_000,
    })
    expect(limits).toEqual(['behind'])
    // One that waits is joined: it costs nothing.
    const joined = ask(299, 1)
    // Fewer wait than a queue has.
    finalize(45, 1)
    const third = ask(500, 1)
    // Answers come as soon as they should.
    finalize(500, 1)
    const fourth = ask(600, 200)
    finalize(46, 255)
    finalize(600, 200)
    const answers = await Promise.all([...first, ...second, ...joined, ...third, ...fourth])
    expect(new Set(answers.map(({ result }) => result.kind))).toEqual(new Set(['valid']))
  })

  it('answers 500 at once, each with its own verdict, and leaves no timer', async () => {
    const requests = Array.from({ length: 500 }, (_, i) => certificateRequest(`request-${i}`))
    const asked = requests.map((request) => service.validateCertificate(request, 'a'))
    const verdicts = requests.map((request, i) =>
      verdictOf(hashed(request), i % 5 === 0 ? [{ subject: 'work', reason: `reason ${i}` }] : []),
    )
    network.finalize(...verdicts.toReversed())
    const answers = await Promise.all(asked)
    for (const [i, { result }] of answers.entries()) {
      if (i % 5 === 0) expect(result).toMatchObject({ kind: 'invalid', reason: `reason ${i}` })
      else expect(result.kind).toBe('valid')
    }
    expect(clock.timers).toBe(0)
    expect(service.metrics()).toMatchObject({
      totalRequests: 500n,
      successfulValidations: 400n,
      failedValidations: 100n,
      pendingValidations: 0,
    })
  })

  it('tells of every call once, by kind and result', async () => {
    const seen: string[] = []
    service.close()
    service = new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1',
      observe: ({ kind, result, isRepeat, failedProofs, seconds }) => {
        seen.push([kind, result, isRepeat ? 'repeat' : 'first', ...failedProofs, seconds].join(' '))
      },
    })
    const asked = service.validateCertificate(certificateRequest(), 'a')
    clock.advance(20)
    network.finalize(verdictOf(hashed(certificateRequest()), [{ subject: 'work', reason: '' }]))
    await asked
    await service.validateCertificate(certificateRequest(), 'a')
    service.status('unknown')
    service.malformed('four-proof', 'not JSON')
    expect(seen).toEqual([
      'certificate invalid first work 0.02',
      'certificate invalid repeat work 0',
      'status error first 0',
      'four-proof refused first 0',
    ])
  })

  it('counts time and answers for /consensus/metrics', async () => {
    const asked = service.validateCertificate(certificateRequest(), 'a')
    clock.advance(30)
    network.finalize(verdictOf(hashed(certificateRequest())))
    await asked
    expect(service.metrics()).toEqual({
      totalRequests: 1n,
      successfulValidations: 1n,
      failedValidations: 0n,
      avgValidationTimeUs: 30_000n,
      pendingValidations: 0,
      byzantineFaultsDetected: 0n,
      lastUpdatedUnixMs: 1_760_000_000_030,
    })
  })
})

describe('a caller', () => {
  it.each([
    [50, 100],
    [2_000, 2_000],
    [60_000, 20_000],
  ])('that wants to wait %d ms waits %d ms', async (deadlineMs, waitedMs) => {
    const asked = service.validateCertificate(certificateRequest(), 'a', { deadlineMs })
    clock.advance(waitedMs - 1)
    expect(clock.timers).toBe(1)
    clock.advance(1)
    expect((await asked).result).toMatchObject({
      errorCode: 'VALIDATION_TIMEOUT',
      message: `no verdict within ${waitedMs} ms; the request goes on, ask for its status`,
    })
  })

  it('that is gone leaves no timer and no waiter behind, and is not counted as answered', async () => {
    const observed: ObservedCall['result'][] = []
    service.close()
    service = new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1.2.3',
      limits: { requestsPerClientMax: 1 },
      observe: ({ result }) => observed.push(result),
    })
    const gone = new AbortController()
    const asked = service.validateCertificate(certificateRequest('1'), 'a', { signal: gone.signal })
    expect(clock.timers).toBe(1)
    gone.abort()
    await asked
    expect([clock.timers, service.metrics().totalRequests, observed]).toEqual([0, 0n, ['abandoned']])
    // Its place is free for a call that waits for the same request, which went on.
    const again = service.validateCertificate(certificateRequest('1'), 'a')
    network.finalize(verdictOf(hashed(certificateRequest('1'))))
    expect((await again).result.kind).toBe('valid')
    expect(network.submitted).toHaveLength(1)
  })

  it('that is gone before it is heard does not wait at all', async () => {
    await service.validateCertificate(certificateRequest('1'), 'a', { signal: AbortSignal.abort() })
    expect(clock.timers).toBe(0)
  })
})

describe('the audit trail', () => {
  const recorded: AuditedCall[] = []
  let reason: string | null = null
  const audited = (): ValidationService => {
    service.close()
    recorded.length = 0
    return new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1.2.3',
      audit: { record: (call) => recorded.push(call), refusesBecause: () => reason },
    })
  }

  it('has who asked what, how, and what became of it', async () => {
    service = audited()
    const gone = new AbortController()
    const context = { carrier: 'libp2p', signal: gone.signal } as const
    const left = service.validateCertificate(certificateRequest('left'), 'peer-x', context)
    const late = service.validateProofs(fourProofRequest(), '192.0.2.1', { carrier: 'stoq' })
    clock.advance(5)
    gone.abort()
    await left
    clock.advance(8_000)
    await late
    service.malformed('four-proof', 'it is none', '::1', { carrier: 'http' })
    service.malformed('status', 'it is none', '::1')
    service.status('left')
    const { requestKey, hash } = hashed(certificateRequest('left'))
    expect(recorded).toEqual([
      {
        unixMs: 1_760_000_000_005,
        carrier: 'libp2p',
        client: 'peer-x',
        method: 'validate_certificate',
        requestId: 'left',
        requestKey,
        payloadHash: hash,
        result: 'Abandoned',
        failedProofs: [],
        errorCode: null,
        durationUs: 5_000,
      },
      expect.objectContaining({
        carrier: 'stoq',
        client: '192.0.2.1',
        method: 'validate_proofs',
        requestId: null,
        result: 'Error',
        errorCode: 'VALIDATION_TIMEOUT',
        durationUs: 8_005_000,
      }),
      expect.objectContaining({
        method: 'validate_proofs',
        requestKey: null,
        errorCode: 'INVALID_PROOF_FORMAT',
      }),
    ])
  })

  it('stands before a stored verdict too when it must have every call', async () => {
    service = audited()
    const request = certificateRequest()
    network.finalize(verdictOf(hashed(request)))
    reason = 'the disk is full'
    expect((await service.validateCertificate(request, 'a')).result).toEqual({
      kind: 'error',
      errorCode: 'INTERNAL_CONSENSUS_ERROR',
      message: 'nothing is answered unrecorded here: the disk is full',
    })
    reason = null
    expect((await service.validateCertificate(request, 'a')).result.kind).toBe('valid')
    expect(recorded.map(({ result }) => result)).toEqual(['Error', 'Valid'])
  })
})
