/**
 * The client (src/client) as the options of a command want it: whom to ask, whom to trust, how long. What is printed of an
 * answer is the command's affair.
 */

import type { ClientMethod } from '../client/carrier.ts'
import { type Attempt, ClientError } from '../client/client-error.ts'
import { configuredEndpoints, type EndpointSource, schemeOf } from '../client/endpoint.ts'
import { causeText } from '../client/failover.ts'
import type { HypermeshClient } from '../client/hypermesh-client.ts'
import { NOT_PINNED } from '../client/node/https-carrier.ts'
import { OTHER_PEER, peerAddress } from '../client/node/libp2p-carrier.ts'
import { nodeCarriers, nodeClient } from '../client/node/node-client.ts'
import { SrvDiscovery } from '../client/node/srv-discovery.ts'
import { lookAtRequest, type RequestKind } from '../client/request-bytes.ts'
import { genesisHash } from '../codec/genesis.ts'
import { isHex } from '../codec/hex.ts'
import { parseGenesis } from '../config/genesis-file.ts'
import { assert } from '../types/assert.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { ValidationAnswer } from '../validation/answer.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { genesisOfData, knownNetworks } from './known-networks.ts'
import { readTextFile } from './parse-options.ts'

/** Options of `validate` that say whom to ask, and how. */
export interface AskOptions {
  readonly to?: readonly string[]
  readonly discover?: string
  readonly dns?: readonly string[]
  readonly wait?: boolean
  readonly insecure?: boolean
  readonly pin?: string
  /** Seconds. */
  readonly timeout: number
  readonly genesis?: string
  readonly data?: string
}

/** The networks to try, by genesis hash: the one that is named, or those that this machine knows. */
async function networksOf(options: Pick<AskOptions, 'genesis' | 'data'>): Promise<GenesisHash[]> {
  if (options.genesis !== undefined) {
    if (isHex(options.genesis, 32)) return [options.genesis as GenesisHash]
    return [genesisHash(parseGenesis(readTextFile(options.genesis, 'genesis file'), options.genesis))]
  }
  if (options.data !== undefined) {
    const genesis = genesisOfData(options.data)
    if (genesis !== undefined) return [genesis]
    throw usageError(
      `${options.data} is not a node's data directory`,
      'name one that "hypermesh start" takes',
    )
  }
  const networks = await knownNetworks()
  if (networks.length > 0) return networks
  throw usageError('which network the node belongs to is not known here', 'name it with --genesis or --data')
}

/** @throws CliError `E_REQUEST` (65) when the bytes are no JSON, or neither kind of request */
export function kindOfRequest(bytes: Uint8Array): RequestKind {
  const seen = lookAtRequest(bytes)
  if (!('why' in seen)) return seen.kind
  const isJson = seen.kind !== 'not JSON'
  throw new CliError(
    'E_REQUEST',
    isJson ? 'the document is no validation request' : 'the request is not JSON',
    {
      why: seen.why,
      fix: 'make one with "hypermesh request certificate" or "hypermesh request four-proof"',
      exitCode: EXIT.data,
    },
  )
}

/** The endpoints that are named, in their order, or those that DNS names, and those that are named for want of any. */
function endpointsOf({ to = [], discover, dns }: AskOptions): EndpointSource | readonly string[] {
  if (dns !== undefined && discover === undefined) {
    throw usageError(
      '--dns is for --discover, which is not given',
      'name a domain with --discover, or leave --dns out',
    )
  }
  if (discover !== undefined) {
    return new SrvDiscovery({
      domain: discover,
      fallback: to,
      ...(dns === undefined ? {} : { servers: dns }),
    })
  }
  if (to.length > 0) return to
  throw usageError('no node is named', 'name one with --to, or a domain with --discover')
}

/** A single node has all the time there is; of several, one that hangs must not have it. */
const ATTEMPT_DEADLINE_MS = 10_000

async function clientOf(
  options: AskOptions,
  onAttempt: (attempt: Attempt) => void,
): Promise<HypermeshClient> {
  const source = endpointsOf(options)
  const isList = !('current' in source)
  const timeoutMs = options.timeout * 1_000
  const multiaddrs = options.to?.filter((endpoint) => endpoint.startsWith('/')) ?? []
  for (const address of multiaddrs) peerAddress(address)
  const networks = multiaddrs.length > 0 ? await networksOf(options) : []
  return nodeClient({
    endpoints: isList ? configuredEndpoints(source, 'as-given') : source,
    deadlineMs: timeoutMs,
    attemptDeadlineMs: isList && source.length === 1 ? timeoutMs : ATTEMPT_DEADLINE_MS,
    // A person sees what is wrong and decides; --wait leaves it to the client.
    ...(options.wait === true ? {} : { passesMax: 1 }),
    network: async () => networks,
    ...tlsOf(options),
    onAttempt,
  })
}

function tlsOf({
  insecure,
  pin,
}: Pick<AskOptions, 'insecure' | 'pin'>): Pick<Parameters<typeof nodeClient>[0], 'tls'> {
  if (pin !== undefined) {
    return { tls: { kind: 'pinned', certificate: readTextFile(pin, 'certificate') } }
  }
  return insecure === true ? { tls: { kind: 'any' } } : {}
}

const PIN_FIX =
  'check who answers there, and that the file of --pin is what the node shows now: tls/rpc.crt in its data directory'
const PEER_FIX = 'check the address, and its peer id with "hypermesh status" on that node'

/** The same failure with advice about this command's options. */
function withOptionAdvice(error: ClientError): ClientError {
  const fix = fixBy(error)
  return new ClientError(error.code, error.message, {
    ...error.advice,
    ...(fix === undefined ? {} : { fix }),
    exitCode: error.exitCode,
    last: error.last,
    attempts: error.attempts,
    cause: error,
  })
}

function fixBy({ code, advice, attempts }: ClientError): string | undefined {
  const { why = '' } = advice
  if (code === 'E_STOQ_TRUST' || why.includes('its STOQ certificate itself')) {
    return 'add --insecure if you trust the way to it, or ask by libp2p, where its identity is proven'
  }
  if (why.includes('wrong-genesis')) return 'name the network of that node with --data or --genesis'
  if (why.includes(NOT_PINNED)) return PIN_FIX
  if (why.includes(OTHER_PEER)) return PEER_FIX
  if (/certificate|CERT|self.signed/i.test(why)) {
    return 'name its certificate with --pin, or add --insecure if you trust who answers there'
  }
  if (code !== 'E_NO_ANSWER') return advice.fix
  if (why.includes('no QUIC for STOQ'))
    return 'use HTTP or libp2p here; STOQ runs on Linux x64 and arm64 with glibc, and on macOS arm64'
  const other = otherScheme(attempts.at(-1)?.endpoint ?? '', why)
  if (other !== null) return other
  return attempts.some(({ endpoint }) => endpoint.startsWith('/'))
    ? 'check the address and its peer id ("hypermesh status" prints it), and that the node runs'
    : 'start a node there, or name another with --to'
}

/** A TLS port hangs up on plain HTTP; a plain port answers TLS with what is no TLS. */
function otherScheme(endpoint: string, why: string): string | null {
  if (endpoint.startsWith('http:') && /socket hang up|ECONNRESET|EPIPE|Parse Error/.test(why)) {
    const url = endpoint.replace('http:', 'https:')
    return `if it speaks TLS, which a CA endpoint does unless ca.scheme is "http", write ${url}`
  }
  if (endpoint.startsWith('https:') && /EPROTO|wrong version number|packet length/.test(why)) {
    return `if it speaks plain HTTP (ca.scheme = "http"), write ${endpoint.replace('https:', 'http:')}`
  }
  return null
}

/** What a node said, which may be that there is no verdict, and how those fared that were asked before it. */
export interface AskedAnswer {
  readonly answer: ValidationAnswer
  /** The answer's JSON as it came. */
  readonly payload: Uint8Array
  readonly before: readonly Attempt[]
}

/**
 * Asks for a verdict.
 * @throws CliError `E_REQUEST`, `E_USAGE`; ClientError when no node said anything
 */
export async function askNetwork(options: AskOptions, bytes: Uint8Array): Promise<AskedAnswer> {
  const kind = kindOfRequest(bytes)
  const attempts: Attempt[] = []
  const client = await clientOf(options, (attempt) => attempts.push(attempt))
  try {
    const call = { waits: options.wait === true }
    const asked = client[kind === 'certificate' ? 'validateCertificate' : 'validateProofs'](bytes, call)
    const { answer, payload, endpoint } = await asked.catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error
      if (error.last === null) throw withOptionAdvice(error)
      return error.last
    })
    return { answer, payload, before: attempts.filter((attempt) => attempt.endpoint !== endpoint) }
  } finally {
    await client.close()
  }
}

/** Whom to call, and how. */
export type CallOptions = Pick<AskOptions, 'insecure' | 'timeout' | 'genesis' | 'data'> & {
  readonly to: string
}

/**
 * One call to one node, as it answers: nothing is tried again, nobody else is asked.
 * @throws CliError `E_NO_ANSWER` (69), `E_USAGE`; ClientError for an address that is none
 */
export async function callNode(
  options: CallOptions,
  method: ClientMethod,
  payload: Uint8Array,
  answerBytesMax: number,
): Promise<Uint8Array> {
  const { to } = options
  if (to.startsWith('/')) peerAddress(to)
  const networks = to.startsWith('/') ? await networksOf(options) : []
  const carrier = nodeCarriers({ network: async () => networks, ...tlsOf(options) })[schemeOf(to)]?.(to)
  assert(carrier !== undefined, `the command line has a carrier to ${to}`)
  const deadlineMs = options.timeout * 1_000
  try {
    const limits = { deadlineMs, signal: AbortSignal.timeout(deadlineMs), answerBytesMax }
    const reply = await carrier.call(method, payload, limits)
    if (reply.payload.length > 0) return reply.payload
    throw noAnswer(to, reply.note)
  } catch (error) {
    throw error instanceof CliError ? error : noAnswer(to, causeText(error), error)
  } finally {
    await carrier.close()
  }
}

function fixOfOne(why: string): string {
  if (why.includes(OTHER_PEER)) return PEER_FIX
  return /certificate|CERT|self.signed/i.test(why)
    ? 'add --insecure if you trust who answers there'
    : 'start a node there, or name another with --to'
}

function noAnswer(to: string, why: string, cause?: unknown): CliError {
  return new CliError('E_NO_ANSWER', `no answer from ${to}`, {
    why,
    fix: fixOfOne(why),
    exitCode: EXIT.network,
    cause,
  })
}
