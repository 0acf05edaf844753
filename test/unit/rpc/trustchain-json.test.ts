/** serde's rules on TrustChain's requests, as a table: what is read, what is refused, and in which words. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { readJson, type Shape } from '../../../src/rpc/json-shape.ts'
import { JSON_BYTES_MAX, JSON_DEPTH_MAX, parseJson } from '../../../src/rpc/lossless-json.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
  statusRequest,
} from '../../../src/rpc/trustchain-json-request.ts'
import { answerJson, healthJson, validationAnswer } from '../../../src/rpc/trustchain-json-response.ts'
import { answerOfVerdict, answerWithoutVerdict } from '../../../src/validation/answer.ts'
import { FIGURES, verdictOf } from '../../support/fake-network.ts'
import { certificateRequest, vector } from '../../support/requests.ts'

/** What reading says: a refusal's words, or nothing. */
function refusalOf<T>(shape: Shape<T>, json: string | Uint8Array): string | null {
  const read = readJson(shape, typeof json === 'string' ? Buffer.from(json) : json)
  return read.ok ? null : read.detail
}

const CERTIFICATE = vector('certreq_json')
const FOUR_PROOF = vector('fpreq_json')
const NONCE = '"nonce":18446744073709551557'
const TIME_PROOF = 'certificate_request.consensus_proof.time_proof'

describe('a certificate request is refused', () => {
  it.each([
    [
      'a negative nonce',
      NONCE,
      '"nonce":-1',
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got -1`,
    ],
    [
      'a nonce of 2^64',
      NONCE,
      '"nonce":18446744073709551616',
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got 18446744073709551616`,
    ],
    [
      'a nonce of 30 digits',
      NONCE,
      `"nonce":${'9'.repeat(30)}`,
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got ${'9'.repeat(30)}`,
    ],
    [
      'a nonce with a fraction',
      NONCE,
      '"nonce":1.0',
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got 1.0`,
    ],
    [
      'a nonce with an exponent',
      NONCE,
      '"nonce":1e3',
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got 1e3`,
    ],
    ['minus zero', NONCE, '"nonce":-0', `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got -0`],
    [
      'a nonce as text',
      NONCE,
      '"nonce":"1"',
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got "1"`,
    ],
    [
      'a nonce that is null',
      NONCE,
      '"nonce":null',
      `${TIME_PROOF}.nonce: expected an unsigned 64-bit integer, got null`,
    ],
    ['a missing nonce', `${NONCE},`, '', `${TIME_PROOF}: missing field \`nonce\``],
    ['a field twice', NONCE, `${NONCE},${NONCE}`, 'duplicate field "nonce"'],
    [
      'a hash as hex',
      /"proof_hash":\[[^\]]*\]/,
      '"proof_hash":"34ba"',
      `${TIME_PROOF}.proof_hash: expected an array of bytes, got "34ba"`,
    ],
    [
      'a byte of 256',
      '[52,186',
      '[52,256',
      `${TIME_PROOF}.proof_hash[1]: expected an unsigned 8-bit integer, got 256`,
    ],
    [
      'a byte of -1',
      '[52,186',
      '[52,-1',
      `${TIME_PROOF}.proof_hash[1]: expected an unsigned 8-bit integer, got -1`,
    ],
    [
      'a byte of 1.5',
      '[52,186',
      '[52,1.5',
      `${TIME_PROOF}.proof_hash[1]: expected an unsigned 8-bit integer, got 1.5`,
    ],
    [
      'nanoseconds beyond u32',
      '"nanos_since_epoch":200000001',
      '"nanos_since_epoch":4294967296',
      'timestamp.nanos_since_epoch: expected an unsigned 32-bit integer, got 4294967296',
    ],
    [
      'an unknown key in a SystemTime',
      '"nanos_since_epoch":200000001',
      '"nanos_since_epoch":1,"x":1',
      'timestamp: unknown field "x"',
    ],
    [
      'an unknown key in a Duration',
      '{"secs":300,"nanos":0}',
      '{"secs":300,"nanos":0,"x":1}',
      'consensus_requirements.max_time_offset: unknown field "x"',
    ],
    [
      'a SystemTime beyond i64',
      /"timestamp":\{"secs_since_epoch":1760000000,"nanos_since_epoch":200000001\}/,
      '"timestamp":[9223372036854775808,0]',
      'timestamp: overflow deserializing SystemTime',
    ],
    [
      'a SystemTime that carries beyond i64',
      /"timestamp":\{"secs_since_epoch":1760000000,"nanos_since_epoch":200000001\}/,
      '"timestamp":[9223372036854775807,1000000000]',
      'timestamp: overflow deserializing SystemTime',
    ],
    [
      'a Duration that carries beyond u64',
      '{"secs":300,"nanos":0}',
      '[18446744073709551615,1000000000]',
      'consensus_requirements.max_time_offset: overflow deserializing Duration',
    ],
    [
      'an RFC 3339 timestamp',
      /"timestamp":\{"secs_since_epoch":1760000000,"nanos_since_epoch":200000001\}/,
      '"timestamp":"2025-10-09T08:53:20Z"',
      'timestamp: expected an object, got "2025-10-09T08:53:20Z"',
    ],
    [
      'a SystemTime of one',
      /"timestamp":\{"secs_since_epoch":1760000000,"nanos_since_epoch":200000001\}/,
      '"timestamp":[1]',
      'timestamp: expected an object or an array of 2, got an array of 1',
    ],
    [
      'an unknown variant',
      '"Certificate"',
      '"Mining"',
      'certificate_request.consensus_proof.work_proof.workload_type: expected one of Certificate, CertificateTransparency, DnsResolution, Compute, Network, Storage, got "Mining"',
    ],
    [
      'a variant of another case',
      '"TLS"',
      '"tls"',
      'validation_context.certificate_type: expected one of TLS, CodeSigning, ClientAuth, RootCA, IntermediateCA, got "tls"',
    ],
    [
      'a variant with content',
      '"TLS"',
      '{"TLS":1}',
      'validation_context.certificate_type: expected one of TLS, CodeSigning, ClientAuth, RootCA, IntermediateCA, got an object',
    ],
    [
      'a tolerance that is null',
      '"byzantine_tolerance":0.0',
      '"byzantine_tolerance":null',
      'consensus_requirements.byzantine_tolerance: expected a number, got null',
    ],
    [
      'a number beyond f64',
      '"byzantine_tolerance":0.0',
      '"byzantine_tolerance":1e400',
      'number out of range',
    ],
    [
      'text that is a number',
      '"common_name":"test.hypermesh.online"',
      '"common_name":1',
      'certificate_request.common_name: expected a string, got 1',
    ],
    [
      'a list that is an object',
      '"san_entries":["test.hypermesh.online"]',
      '"san_entries":{}',
      'certificate_request.san_entries: expected an array, got an object',
    ],
    [
      'an entry of a list',
      '"2001:db8::ff00:42:8329"',
      'true',
      'certificate_request.ipv6_addresses[1]: expected a string, got true',
    ],
    [
      'a value of the map',
      '"metadata":{}',
      '"metadata":{"a":1}',
      'validation_context.metadata["a"]: expected a string, got 1',
    ],
    [
      'half of a surrogate pair',
      'test.hypermesh.online',
      'test\\ud800.hypermesh.online',
      'lone surrogate in a string escape',
    ],
    [
      'a control character',
      '"common_name":"',
      '"common_name":"\n',
      'control character in a string at character 39',
    ],
    [
      'text beyond the limit',
      '"common_name":"',
      `"common_name":"${'x'.repeat(8_192)}`,
      'certificate_request.common_name: 8213 bytes of text, the limit is 8192',
    ],
    [
      'text beyond the limit in bytes only',
      '"common_name":"',
      `"common_name":"${'ü'.repeat(4_096)}`,
      'certificate_request.common_name: 8213 bytes of text, the limit is 8192',
    ],
    [
      'a list beyond the limit',
      '"work_challenges":[]',
      `"work_challenges":[${Array(257).fill('""').join(',')}]`,
      'certificate_request.consensus_proof.work_proof.work_challenges: 257 items, the limit is 256',
    ],
    [
      'bytes beyond the limit',
      /"proof_hash":\[[^\]]*\]/,
      `"proof_hash":[${Array(8_193).fill('0').join(',')}]`,
      `${TIME_PROOF}.proof_hash: 8193 bytes, the limit is 8192`,
    ],
    [
      'a map beyond the limit',
      '"metadata":{}',
      `"metadata":{${Array.from({ length: 65 }, (_, i) => `"${i}":""`).join(',')}}`,
      'validation_context.metadata: 65 entries, the limit is 64',
    ],
  ] as const)('for %s', (_name, from, to, expected) => {
    const json = CERTIFICATE.replace(from, () => to)
    expect(json).not.toBe(CERTIFICATE)
    expect(refusalOf(certificateValidationRequest, json)).toBe(expected)
  })

  it.each([
    ['nothing', '', 'expected a value at character 0, the document ended'],
    ['half a document', '{"a":', 'expected a value at character 5, the document ended'],
    ['two documents', 'null null', 'expected the end of the document at character 5, got "n"'],
    ['a trailing comma', '{"a":1,}', 'expected a key at character 7, got "}"'],
    ['a trailing comma in a list', '[1,]', 'expected a value at character 3, got "]"'],
    ['a leading zero', '01', 'expected the end of the document at character 1, got "1"'],
    ['a plus', '+1', 'expected a value at character 0, got "+"'],
    ['NaN', 'NaN', 'expected a value at character 0, got "N"'],
    ['a comment', '1 // one', 'expected the end of the document at character 2, got "/"'],
    ['single quotes', "'a'", 'expected a value at character 0, got "\'"'],
    ['a byte order mark', '\uFEFF{}', 'expected a value at character 0, got "\uFEFF"'],
    ['a bad escape', '"\\x"', 'bad escape at character 1'],
    ['a short escape', '"\\u12"', 'bad escape at character 1'],
    ['an open string', '"abc', 'the document ends inside a string'],
    ['an open escape', '"abc\\', 'bad escape at character 4'],
    ['a word', 'nul', 'expected a value at character 0, got "n"'],
    ['too deep a list', '['.repeat(JSON_DEPTH_MAX + 1), `nested deeper than ${JSON_DEPTH_MAX}`],
    ['too deep an object', '{"a":'.repeat(JSON_DEPTH_MAX + 1), `nested deeper than ${JSON_DEPTH_MAX}`],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'not valid UTF-8'],
    [
      'too many bytes',
      new Uint8Array(JSON_BYTES_MAX + 1),
      `${JSON_BYTES_MAX + 1} bytes of JSON, the limit is ${JSON_BYTES_MAX}`,
    ],
    ['another document', 'null', 'expected an object, got null'],
  ] as const)('for %s', (_name, json, expected) => {
    expect(refusalOf(certificateValidationRequest, json)).toBe(expected)
  })
})

describe('a certificate request is read', () => {
  const read = (from: string | RegExp, to: string) => {
    const json = CERTIFICATE.replace(from, () => to)
    expect(json).not.toBe(CERTIFICATE)
    const request = readJson(certificateValidationRequest, Buffer.from(json))
    if (!request.ok) throw new Error(request.detail)
    return request.value
  }

  it('with fields that nobody knows', () => {
    expect(read('{"certificate_request":', '{"novel":[{"a":1}],"certificate_request":')).toEqual(
      certificateRequest(),
    )
  })

  it('with its fields in another order and with white space', () => {
    const shuffled = CERTIFICATE.replace(/^\{(.*),("request_id":"[^"]*"),(.*)\}$/, '{ $2 ,\r\n\t$1,$3 }')
    const again = readJson(certificateValidationRequest, Buffer.from(shuffled))
    expect(again.ok && again.value).toEqual(certificateRequest())
  })

  it.each([
    ['a SystemTime as an array', /"timestamp":\{[^}]*200000001\}/, '"timestamp":[1760000000,200000001]'],
    ['a variant as an object', '"TLS"', '{"TLS":null}'],
    ['an integer for a float', '"byzantine_tolerance":0.0', '"byzantine_tolerance":0'],
    ['a Duration as an array', '{"secs":300,"nanos":0}', '[300,0]'],
    ['escapes', '"certificate_request"', '"certificate\\u005frequest"'],
  ] as const)('with %s', (_name, from, to) => {
    expect(read(from, to)).toEqual(certificateRequest())
  })

  it('with nanoseconds beyond a second as they are', () => {
    expect(read('200000001', '4294967295').timestamp).toEqual({ secs: 1_760_000_000n, nanos: 4_294_967_295 })
  })

  it('with the last SystemTime and Duration that Rust has', () => {
    expect(
      read(/"timestamp":\{[^}]*200000001\}/, '"timestamp":[9223372036854775807,999999999]').timestamp.nanos,
    ).toBe(999_999_999)
    expect(
      read('{"secs":300,"nanos":0}', '[18446744073709551615,999999999]').consensusRequirements.maxTimeOffset
        .secs,
    ).toBe(2n ** 64n - 1n)
  })

  it('with the metadata in order of key, whatever the order on the wire', () => {
    expect(
      read('"metadata":{}', '"metadata":{"b":"2","a":"1","__proto__":"3"}').validationContext.metadata,
    ).toEqual([
      ['__proto__', '3'],
      ['a', '1'],
      ['b', '2'],
    ])
  })

  it.each([0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n])(
    'with the nonce %d exactly',
    (nonce) => {
      const value = read(NONCE, `"nonce":${nonce}`)
      expect(value.certificateRequest.consensusProof.timeProof.nonce).toBe(nonce)
      expect(certificateValidationRequest.write(value)).toContain(`"nonce":${nonce},`)
    },
  )
})

describe('a four-proof request', () => {
  it.each([
    [
      '"difficulty_target":20',
      '"difficulty_target":4294967296',
      'proof_set.work_proof.difficulty_target: expected an unsigned 32-bit integer, got 4294967296',
    ],
    [
      '[1,2,3,4]',
      `[${Array(72 * 1_024 + 1)
        .fill('1')
        .join(',')}]`,
      'proof_set.space_proof.allocation_proof: 73729 bytes, the limit is 73728',
    ],
    [
      '"sequence_number":1',
      '"sequence_number":-1',
      'proof_set.time_proof.sequence_number: expected an unsigned 64-bit integer, got -1',
    ],
  ])('is refused with %s as %.40s', (from, to, expected) => {
    expect(refusalOf(fourProofValidationRequest, FOUR_PROOF.replace(from, to))).toBe(expected)
  })

  it('is read when it is all zero and empty: that is for the rules to judge', () => {
    const json = FOUR_PROOF.replace(/:\d+/g, ':0')
      .replace(/\[[^\]]*\]/g, '[]')
      .replace(/:"[^"]*"/g, ':""')
    expect(refusalOf(fourProofValidationRequest, json)).toBeNull()
  })
})

describe('a status request', () => {
  it('is its id and nothing else', () => {
    expect(refusalOf(statusRequest, '{"request_id":"x","more":1}')).toBeNull()
    expect(refusalOf(statusRequest, '{}')).toBe('missing field `request_id`')
    expect(refusalOf(statusRequest, '"x"')).toBe('expected an object, got "x"')
  })
})

describe('an answer', () => {
  const stored = verdictOf(hashTransaction({ kind: 'validate-certificate', request: certificateRequest() }))

  it('writes u64 as bare integers, however large, and floats always as floats', () => {
    const figures = {
      ...FIGURES,
      validationTimeUs: 2n ** 64n - 1n,
      throughputPerSecond: 1_000,
      networkLoad: 1e-7,
    }
    const record = { ...stored.record, agreeing: { validators: 4, stake: 400n } }
    const json = answerJson(answerOfVerdict({ ...stored, record, figures }, 'node-1'))
    expect(json).toContain('"validation_time_us":18446744073709551615,')
    expect(json).toContain('"throughput_ops_per_sec":1000.0,')
    expect(json).toContain('"confidence_level":1.0,')
    expect(json).toContain('"network_load":1e-7}')
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('is never written with the figure %d', (networkLoad) => {
    const figures = { ...FIGURES, networkLoad }
    expect(() => answerJson(answerOfVerdict({ ...stored, figures }, 'n'))).toThrow('invariant violated')
  })

  it('is read back as it was written, with every status', () => {
    const answers = [
      answerOfVerdict(stored, 'n'),
      answerOfVerdict(
        verdictOf(hashTransaction({ kind: 'validate-certificate', request: certificateRequest() }), [
          { subject: 'time', reason: 'ü"\\' },
        ]),
        'n',
      ),
      answerWithoutVerdict({ kind: 'pending', estimatedCompletion: { secs: 1n, nanos: 2 } }, 'n', 0),
      answerWithoutVerdict({ kind: 'error', errorCode: 'REQUEST_NOT_FOUND', message: '' }, 'n', 0),
    ]
    for (const answer of answers) {
      const read = readJson(validationAnswer, Buffer.from(answerJson(answer)))
      expect(read.ok ? read.value : read.detail).toEqual(answer)
    }
  })

  it('agrees with serde on what an Option may be', () => {
    const json = vector('valid_json')
    for (const variant of [
      json.replace(/"proof_hash":\[[^\]]*\],/, ''),
      json.replace(/,"recovery_action_taken":null/, ''),
      json.replace('"recovery_action_taken":null', '"recovery_action_taken":"none"'),
      json.replace('"Valid"', '{"Valid":null}'),
    ]) {
      expect(variant).not.toBe(json)
      expect(refusalOf(validationAnswer, variant)).toBeNull()
    }
    expect(refusalOf(validationAnswer, json.replace('[7,', '['))).toBe(
      'proof_hash: expected an array of 32 bytes, got an array of 31',
    )
    expect(refusalOf(validationAnswer, json.replace('"network_load":0.3', '"network_load":null'))).toBe(
      'metrics.network_load: expected a number, got null',
    )
  })

  it('to the health call is what the historic server said', () => {
    const health = { service: 'hypermesh-consensus', version: '0.1.0' } as const
    expect(healthJson({ status: 'healthy', ...health, reason: null })).toBe(
      '{"status":"healthy","service":"hypermesh-consensus","version":"0.1.0"}',
    )
  })
})

describe('the parser', () => {
  it.each([
    '[]',
    '{}',
    '[[],{}]',
    '"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u00e9"',
    '-1',
    '-0.5',
    '1E+2',
    'true',
    ' [ 1 , 2 ] ',
  ])('agrees with JSON.parse on %s', (json) => {
    const plain = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(plain)
      if (value instanceof Map)
        return Object.fromEntries([...value].map(([key, entry]) => [key, plain(entry)]))
      return typeof value === 'object' && value !== null && 'source' in value ? Number(value.source) : value
    }
    const parsed = parseJson(Buffer.from(json))
    expect(parsed.ok ? plain(parsed.value) : parsed.detail).toEqual(JSON.parse(json))
  })
})
