/** `validate`: sends a request to a node, by HTTP, STOQ or libp2p, and prints what the network answered. */

import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Command } from 'commander'
import { genesisHash } from '../codec/genesis.ts'
import { isHex, toHex } from '../codec/hex.ts'
import { parseGenesis } from '../config/genesis-file.ts'
import { parseAddress, peerIdOf } from '../network/addresses.ts'
import type { EnvelopeResponse } from '../rpc/envelope.ts'
import { readJson } from '../rpc/json-shape.ts'
import { validationAnswer } from '../rpc/trustchain-json-response.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { SecondsNanos } from '../types/validation-request.ts'
import type { ValidationAnswer } from '../validation/answer.ts'
import { callConsensus } from './consensus-call.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { genesisOfData, knownNetworks } from './known-networks.ts'
import { readTextFile, wholeNumber } from './parse-options.ts'
import { print } from './print.ts'
import { callStoq } from './stoq-call.ts'
import { kindOfRequest, LOOPBACK, postRequest, type RequestKind } from './validation-client.ts'

interface ValidateOptions {
  readonly to: string
  readonly json?: boolean
  readonly insecure?: boolean
  /** Seconds. */
  readonly timeout: number
  readonly genesis?: string
  readonly data?: string
}

/** @throws CliError `E_FILE` (65) */
async function readRequest(file: string): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (cause) {
    throw new CliError('E_FILE', `the request ${file} cannot be read`, {
      why: (cause as Error).message,
      fix: 'check the path, or give - for standard input',
      exitCode: EXIT.data,
      cause,
    })
  }
}

/** The networks to try, by genesis hash: the one that is named, or those that this machine knows. */
async function networksOf(options: ValidateOptions): Promise<GenesisHash[]> {
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

async function askByMultiaddr(
  options: ValidateOptions,
  kind: RequestKind,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const address = parseAddress(options.to)
  if (peerIdOf(address) === undefined) {
    throw usageError(`${options.to} names no peer`, 'append /p2p/<peer id>, as "hypermesh status" shows it')
  }
  let refused: unknown
  for (const genesis of await networksOf(options)) {
    try {
      return payloadOf(await callConsensus(address, genesis, kind, bytes, options.timeout * 1_000))
    } catch (error) {
      // Of several networks only one is the node's; any other failure is the answer.
      if (!(error instanceof CliError) || error.advice.why?.includes('wrong-genesis') !== true) throw error
      refused = error
    }
  }
  throw refused
}

async function askByStoq(
  options: ValidateOptions,
  url: URL,
  kind: RequestKind,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  if (options.insecure !== true && !LOOPBACK.test(url.hostname)) {
    throw usageError(
      `who answers at ${options.to} cannot be verified: a node makes its STOQ certificate itself`,
      'add --insecure if you trust the way to it, or ask by libp2p, where its identity is proven',
    )
  }
  const response = await callStoq(url, kind, bytes, options.timeout * 1_000)
  return payloadOf(response)
}

/** @throws CliError `E_NOT_ANSWERED` (69) when there is an error in place of a verdict */
function payloadOf({ payload, error }: EnvelopeResponse): Uint8Array {
  if (payload.length > 0) return payload
  throw new CliError('E_NOT_ANSWERED', 'the node did not answer the request', {
    ...(error === null ? {} : { why: error }),
    exitCode: EXIT.network,
  })
}

function askByUrl(options: ValidateOptions, kind: RequestKind, bytes: Uint8Array): Promise<Uint8Array> {
  const url = URL.parse(options.to)
  if (url?.protocol === 'stoq:') return askByStoq(options, url, kind, bytes)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      `"${options.to}" is no URL or multiaddr`,
      'write https://[::1]:8080, stoq://[::1]:9292 or /ip4/…/tcp/…/p2p/…',
    )
  }
  const call = { timeoutMs: options.timeout * 1_000, insecure: options.insecure === true }
  return postRequest(url, kind, bytes, call)
}

function isoTime({ secs, nanos }: SecondsNanos): string {
  const ms = Number(secs) * 1_000 + Math.floor(nanos / 1_000_000)
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${secs} s after 1970`
}

/** What a person reads of an answer. */
export function answerLines(answer: ValidationAnswer): string[] {
  const { result, metrics, details } = answer
  if (result.kind === 'error') return [`Error ${result.errorCode}: ${result.message}`]
  if (result.kind === 'pending') return [`Pending until about ${isoTime(result.estimatedCompletion)}`]
  const { spaceProofValid, stakeProofValid, workProofValid, timeProofValid } = details.proofResults
  const named = [
    ['space', spaceProofValid],
    ['stake', stakeProofValid],
    ['work', workProofValid],
    ['time', timeProofValid],
  ] as const
  return [
    result.kind === 'valid' ? 'Valid' : `Invalid: ${result.failedProofs.join(', ') || 'the request'}`,
    ...(result.kind === 'invalid' ? [`  reason      ${result.reason}`] : []),
    `  proofs      ${named.map(([name, isValid]) => `${name} ${isValid ? 'ok' : 'FAILED'}`).join(', ')}`,
    `  judged at   ${isoTime(answer.validatedAt)}, ${details.performanceStats.consensusLatencyMs} ms after it came`,
    `  decided by  ${metrics.validatorNodes} validators, ${(metrics.confidenceLevel * 100).toFixed(1)} % of the stake`,
    `  answered by ${answer.validatorId}`,
    ...(answer.proofHash === null ? [] : [`  proof hash  ${toHex(answer.proofHash)}`]),
  ]
}

/** Valid 0; Invalid and Pending 1; a request that cannot be read 65; no verdict to be had 69. */
export function exitCodeOf({ result }: ValidationAnswer): number {
  if (result.kind === 'valid') return EXIT.ok
  if (result.kind !== 'error') return EXIT.failure
  return result.errorCode === 'INVALID_PROOF_FORMAT' ? EXIT.data : EXIT.network
}

export function registerValidateCommand(program: Command): void {
  program
    .command('validate')
    .description('send a request to a node and print the verdict')
    .argument('<file>', 'the request, or - for standard input')
    .requiredOption(
      '--to <url|multiaddr>',
      'the node: its CA endpoint, stoq://[::1]:9292, or a p2p address ending in /p2p/<peer id>',
    )
    .option('--json', 'print the raw answer')
    .option('--timeout <seconds>', 'give up after so long', wholeNumber(1, 600), 15)
    .option(
      '--insecure',
      'accept any TLS certificate (on loopback any is accepted; over STOQ there is no other)',
    )
    .option('--genesis <file|hash>', 'network of a multiaddr (default: the networks known on this machine)')
    .option('--data <dir>', 'data directory of a node of that network')
    .addHelpText(
      'after',
      '\nExit code: 0 Valid, 1 Invalid, 65 the request cannot be read, 69 no verdict.' +
        "\n\nExample:\n  $ hypermesh request certificate | hypermesh validate - --to 'https://[::1]:8080'",
    )
    .action(async (file: string, options: ValidateOptions) => {
      const bytes = await readRequest(file)
      const kind = kindOfRequest(bytes)
      const ask = options.to.startsWith('/') ? askByMultiaddr : askByUrl
      const raw = await ask(options, kind, bytes)
      const answer = readJson(validationAnswer, raw)
      if (!answer.ok) {
        throw new CliError('E_ANSWER', `${options.to} answered something else than a verdict`, {
          why: answer.detail,
          fix: 'check that --to is the CA endpoint of a hypermesh node',
          exitCode: EXIT.network,
        })
      }
      if (options.json === true) print(Buffer.from(raw).toString())
      else for (const line of answerLines(answer.value)) print(line)
      process.exitCode = exitCodeOf(answer.value)
    })
}
