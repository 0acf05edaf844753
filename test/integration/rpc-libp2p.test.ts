/** The consensus protocol over real libp2p with post-quantum sessions: the command line's client, garbage, resets. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { Command } from 'commander'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { registerValidateCommand } from '../../src/cli/validate.ts'
import { nodeClient } from '../../src/client/node/node-client.ts'
import { fromHex } from '../../src/codec/hex.ts'
import { createDataDirectory, sealDataDirectory } from '../../src/config/data-directory.ts'
import { selectMlDsa65, selectMlKem768 } from '../../src/crypto/select.ts'
import { CallServer } from '../../src/network/calls.ts'
import { uncounted } from '../../src/network/meter.ts'
import { networkKeyFromSeed } from '../../src/network/network-key.ts'
import { readToEnd } from '../../src/network/read-to-end.ts'
import { PROTOCOL_LIMITS, wireNames } from '../../src/network/topics.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import {
  decodeEnvelopeResponse,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
} from '../../src/rpc/envelope.ts'
import { readJson } from '../../src/rpc/json-shape.ts'
import { makeConsensusCalls } from '../../src/rpc/libp2p/consensus-calls.ts'
import { validationAnswer } from '../../src/rpc/trustchain-json-response.ts'
import { AuthenticatedPeers } from '../../src/session/authenticated-peers.ts'
import { postQuantumQuic } from '../../src/session/quic-transport.ts'
import { Sessions } from '../../src/session/sessions.ts'
import { postQuantumEncrypter } from '../../src/session/tcp-encrypter.ts'
import { ByteBudget } from '../../src/types/byte-budget.ts'
import type { Logger } from '../../src/types/logger.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from '../support/fake-network.ts'
import { callConsensus } from '../support/libp2p-call.ts'
import { vector } from '../support/requests.ts'

const GENESIS = 'ab'.repeat(32) as GenesisHash
const CONSENSUS_PROTOCOL = wireNames(GENESIS).validation
const READ_LIMITS = { bytesMax: 2 ** 20, firstByteDeadlineMs: 20_000, deadlineMs: 20_000 }
const errors: unknown[] = []
const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields) => errors.push(fields),
}

async function makeNode(listen: readonly string[]): Promise<Libp2p> {
  const key = await networkKeyFromSeed(randomBytes(32))
  const mlDsa = selectMlDsa65()
  const sessions = new Sessions({
    identity: {
      peerId: key.peerId,
      keyPair: mlDsa.keyPairFromSeed(randomBytes(32)),
      genesisHash: fromHex(GENESIS),
    },
    admit: () => true,
    peers: new AuthenticatedPeers(),
    mlDsa,
    mlKem: selectMlKem768(),
    logger,
  })
  return createLibp2p({
    privateKey: key.privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp(), postQuantumQuic(sessions)],
    connectionEncrypters: [postQuantumEncrypter(sessions)],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 64 },
    connectionGater: { denyDialMultiaddr: () => false },
  })
}

let network: FakeNetwork
let server: Libp2p
let client: Libp2p
let addresses: Multiaddr[]
let current: ValidationService

beforeAll(async () => {
  server = await makeNode(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/udp/0/quic-v1'])
  client = await makeNode([])
  addresses = server.getMultiaddrs()
  const rate = { perSecond: 10_000, burst: 10_000 }
  const limiter = new ClientLimiter(() => performance.now(), { remote: rate, loopback: rate, clientsMax: 64 })
  // The service under test changes from test to test, the handler stays.
  const service = new Proxy({} as ValidationService, {
    get: (_target, name) => {
      const member: unknown = Reflect.get(current, name, current)
      return typeof member === 'function' ? member.bind(current) : member
    },
  })
  const calls = new CallServer({
    host: server,
    protocol: CONSENSUS_PROTOCOL,
    limits: { ...PROTOCOL_LIMITS.validation, streamsInboundMax: 512 },
    handler: makeConsensusCalls({ service, limiter, logger }),
    requestDeadlineMs: 10_000,
    meter: uncounted,
    logger,
  })
  await calls.start()
})
afterAll(async () => {
  await client.stop()
  await server.stop()
  expect(errors).toEqual([])
})
beforeEach(() => {
  network = new FakeNetwork()
  network.answersAtOnce = true
  current = new ValidationService({
    ...network,
    clock: new FakeClock(),
    nodeName: 'node-1',
    version: '1.2.3',
  })
})

function addressOver(transport: string): Multiaddr {
  const found = addresses.find((address) => address.toString().includes(transport))
  if (found === undefined) throw new Error(`no ${transport} address`)
  return found
}

async function readAll(stream: Stream): Promise<EnvelopeResponse> {
  const bytes = await readToEnd(stream, { ...READ_LIMITS, budget: new ByteBudget(READ_LIMITS.bytesMax) })
  if (typeof bytes === 'string') throw new Error(bytes)
  const response = decodeEnvelopeResponse(bytes)
  if (!response.ok) throw new Error(response.detail)
  return response.value
}

/** Sends bytes of any size as libp2p wants them sent, and reads the answer. */
async function exchange(bytes: Uint8Array): Promise<EnvelopeResponse> {
  const stream = await client.dialProtocol(addressOver('/tcp/'), CONSENSUS_PROTOCOL, {
    maxOutboundStreams: 512,
  })
  const answer = readAll(stream)
  answer.catch(() => {})
  for (let at = 0; at < bytes.length; at += 65_536) {
    if (!stream.send(bytes.subarray(at, at + 65_536))) await stream.onDrain()
  }
  await stream.close()
  return answer
}

function resultOf(response: EnvelopeResponse): unknown {
  const answer = readJson(validationAnswer, response.payload)
  return answer.ok ? answer.value.result : answer.detail
}

describe('the consensus protocol', () => {
  it.each(['/tcp/', '/quic-v1/'])("answers the command line's client over %s", async (transport) => {
    const payload = Buffer.from(vector('certreq_json'))
    const response = await callConsensus(addressOver(transport), GENESIS, 'certificate', payload, 20_000)
    expect(response.success).toBe(true)
    expect(resultOf(response)).toEqual({ kind: 'valid' })
    const again = await callConsensus(addressOver(transport), GENESIS, 'certificate', payload, 20_000)
    expect(Buffer.from(again.payload).equals(response.payload)).toBe(true)
    expect(network.submitted).toHaveLength(1)
  })

  it.each(['/tcp/', '/quic-v1/'])(
    'refuses a client of another network over %s, and says so',
    async (transport) => {
      const other = 'cd'.repeat(32) as GenesisHash
      const stranger = nodeClient({
        endpoints: [addressOver(transport).toString()],
        network: other,
        passesMax: 1,
      })
      const call = stranger.validateCertificate(Buffer.from(vector('certreq_json')))
      await expect(call).rejects.toMatchObject({
        code: 'E_NO_ANSWER',
        exitCode: 69,
        advice: { why: expect.stringContaining('wrong-genesis') },
      })
    },
  )

  it.each(['/tcp/', '/quic-v1/'])('serves "validate --to <multiaddr>" over %s', async (transport) => {
    const directory = await mkdtemp(join(tmpdir(), 'hypermesh-validate-'))
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    try {
      const file = join(directory, 'request.json')
      await writeFile(file, vector('fpreq_json'))
      // A devnet's folder: the network is that of the node in it.
      const data = createDataDirectory(join(directory, 'net', 'validator-0'))
      sealDataDirectory(data, 'dev', GENESIS)
      const program = new Command().exitOverride()
      registerValidateCommand(program)
      const to = addressOver(transport).toString()
      const args = ['validate', file, '--to', to, '--data', join(directory, 'net')]
      await program.parseAsync(args, { from: 'user' })
      expect(write.mock.calls[0]?.[0]).toBe('Valid\n')
      expect(process.exitCode).toBe(0)
    } finally {
      write.mockRestore()
      process.exitCode = undefined
      await rm(directory, { recursive: true })
    }
  })

  it.each(['/tcp/', '/quic-v1/'])(
    'keeps one connection for many calls over %s, and dials again',
    async (transport) => {
      const asked = nodeClient({
        endpoints: [addressOver(transport).toString()],
        network: GENESIS,
        passesMax: 1,
      })
      const stranger = (): number => server.getPeers().filter((peer) => !peer.equals(client.peerId)).length
      await expect.poll(stranger).toBe(0)
      try {
        const request = Buffer.from(vector('certreq_json'))
        const verdicts = await Promise.all(
          Array.from({ length: 10 }, () => asked.validateCertificate(request)),
        )
        expect(verdicts.map(({ isValid }) => isValid)).toEqual(Array(10).fill(true))
        expect(await asked.status('nobody knows it')).toBeNull()
        expect(await asked.health()).toMatchObject([{ isReady: true, health: { version: '1.2.3' } }])
        expect(stranger()).toBe(1)
        // As a node does that is started again.
        for (const connection of server.getConnections()) connection.abort(new Error('for a test'))
        expect((await asked.validateCertificate(request)).isValid).toBe(true)
        expect(stranger()).toBe(1)
      } finally {
        await asked.close()
      }
      await expect.poll(stranger).toBe(0)
    },
  )

  it.each(['/tcp/', '/quic-v1/'])(
    'says that another peer answers than the one named, over %s',
    async (transport) => {
      const named = addressOver(transport)
        .toString()
        .replace(/[^/]+$/, client.peerId.toString())
      const stranger = nodeClient({ endpoints: [named], network: GENESIS, passesMax: 1 })
      const call = stranger.validateCertificate(Buffer.from(vector('certreq_json')))
      await expect(call).rejects.toMatchObject({
        code: 'E_NO_ANSWER',
        advice: { why: expect.stringContaining('another peer answers there than the address names') },
      })
    },
  )

  it('says that nobody answers when nobody does', async () => {
    const address = multiaddr(`/ip4/127.0.0.1/tcp/1/p2p/${server.peerId.toString()}`)
    const nobody = nodeClient({ endpoints: [address.toString()], network: GENESIS, passesMax: 1 })
    const call = nobody.validateCertificate(Buffer.from(vector('certreq_json')))
    await expect(call).rejects.toMatchObject({ code: 'E_NO_ANSWER', exitCode: 69 })
  })

  it('answers a request beyond the limit with the reason, and goes on', async () => {
    const response = await exchange(new Uint8Array(3 * 1024 * 1024))
    expect(response).toMatchObject({
      success: false,
      error: expect.stringMatching(/^Invalid request format: /),
    })
    const payload = Buffer.from('null')
    const request = { id: 'x', service: 'hypermesh', method: 'consensus/health', payload, metadata: [] }
    expect((await exchange(encodeEnvelopeRequest(request))).success).toBe(true)
  })

  it('answers garbage with an error envelope', async () => {
    for (const bytes of [
      new Uint8Array(0),
      randomBytes(7),
      randomBytes(1_000),
      new Uint8Array(64).fill(255),
    ]) {
      expect(await exchange(bytes)).toMatchObject({ requestId: '', success: false })
    }
  })

  it.each(['/tcp/', '/quic-v1/'])(
    'is read in full over %s when it was all there before',
    async (transport) => {
      const handled = Promise.withResolvers<string>()
      const late = '/hypermesh/test/late/1'
      await server.handle(late, async (stream) => {
        await expect.poll(() => [stream.remoteWriteStatus, stream.readBufferLength]).toEqual(['closed', 5])
        const bytes = await readToEnd(stream, {
          ...READ_LIMITS,
          budget: new ByteBudget(READ_LIMITS.bytesMax),
        })
        handled.resolve(Buffer.from(bytes).toString())
        await stream.close()
      })
      const stream = await client.dialProtocol(addressOver(transport), late)
      stream.send(Buffer.from('whole'))
      await stream.close()
      expect(await handled.promise).toBe('whole')
      await server.unhandle(late)
    },
  )

  it('survives streams that are reset at any moment', async () => {
    const request = encodeEnvelopeRequest({
      id: 'reset',
      service: 'hypermesh',
      method: 'consensus/validate_proofs',
      payload: Buffer.from(vector('fpreq_json')),
      metadata: [],
    })
    for (const sent of [0, 1, 100, request.length]) {
      const stream = await client.dialProtocol(addressOver('/tcp/'), CONSENSUS_PROTOCOL)
      if (sent > 0) stream.send(request.subarray(0, sent))
      stream.abort(new Error('for a test'))
    }
    expect((await exchange(request)).success).toBe(true)
  })

  it.each(['/tcp/', '/quic-v1/'])('waits for nobody who is gone over %s', async (transport) => {
    network.answersAtOnce = false
    const clock = new FakeClock()
    const observed: string[] = []
    current = new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1.2.3',
      observe: ({ result }) => observed.push(result),
    })
    const request = encodeEnvelopeRequest({
      id: 'gone',
      service: 'hypermesh',
      method: 'consensus/validate_proofs',
      payload: Buffer.from(vector('fpreq_json')),
      metadata: [['deadline_ms', '5000']],
    })
    const stream = await client.dialProtocol(addressOver(transport), CONSENSUS_PROTOCOL)
    stream.send(request)
    await stream.close()
    await expect.poll(() => clock.timers).toBe(1)
    stream.abort(new Error('for a test'))
    await expect.poll(() => observed).toEqual(['abandoned'])
    expect(clock.timers).toBe(0)
  })

  it('answers at the deadline that the envelope asks for', async () => {
    network.answersAtOnce = false
    const clock = new FakeClock()
    current = new ValidationService({ ...network, clock, nodeName: 'node-1', version: '1.2.3' })
    const asked = exchange(
      encodeEnvelopeRequest({
        id: 'late',
        service: 'hypermesh',
        method: 'consensus/validate_proofs',
        payload: Buffer.from(vector('fpreq_json')),
        metadata: [['deadline_ms', '500']],
      }),
    )
    await expect.poll(() => clock.timers).toBe(1)
    clock.advance(500)
    expect((await asked).error).toBe(
      'Handler error: VALIDATION_TIMEOUT: no verdict within 500 ms; the request goes on, ask for its status',
    )
  })

  it('answers 100 calls at once', async () => {
    const calls = Array.from({ length: 100 }, (_, i) =>
      exchange(
        encodeEnvelopeRequest({
          id: `call-${i}`,
          service: 'hypermesh',
          method: 'consensus/validate_certificate',
          payload: Buffer.from(vector('certreq_json').replace('"request_id":"', `"request_id":"${i}-`)),
          metadata: [],
        }),
      ),
    )
    const responses = await Promise.all(calls)
    expect(responses.map((response) => response.requestId)).toEqual(calls.map((_, i) => `call-${i}`))
    expect(responses.every((response) => response.success)).toBe(true)
  })
})
