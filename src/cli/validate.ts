/**
 * `validate`: asks a network for a verdict, through the nodes that are named or found by DNS, and prints it. How they are
 * asked is the client's affair (src/client).
 */

import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Command } from 'commander'
import { toHex } from '../codec/hex.ts'
import type { SecondsNanos } from '../types/validation-request.ts'
import type { ValidationAnswer } from '../validation/answer.ts'
import { type AskOptions, askNetwork } from './ask-network.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { wholeNumber } from './parse-options.ts'
import { print } from './print.ts'

/** A file of a request, or standard input. @throws CliError `E_FILE` (65) */
export async function readRequest(file: string, what = 'request'): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (cause) {
    throw new CliError('E_FILE', `the ${what} ${file} cannot be read`, {
      why: (cause as Error).message,
      fix: 'check the path, or give - for standard input',
      exitCode: EXIT.data,
      cause,
    })
  }
}

function isoTime({ secs, nanos }: SecondsNanos): string {
  const ms = Number(secs) * 1_000 + Math.floor(nanos / 1_000_000)
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${secs} s after 1970`
}

/** The same bytes are the same request: it is asked for again by sending it again. */
const AFTER_TIMEOUT =
  'run the same "validate" again, with the same file; --wait and a longer --timeout stay until the verdict'

/** Nothing from a node that was not there when it was judged. */
function waited(ms: bigint): string {
  return ms === 0n ? '' : `, ${ms} ms after it came`
}

/** What a person reads of an answer. */
export function answerLines(answer: ValidationAnswer): string[] {
  const { result, metrics, details } = answer
  if (result.kind === 'error') {
    const line = `Error ${result.errorCode}: ${result.message}`
    return result.errorCode === 'VALIDATION_TIMEOUT' ? [line, `  fix: ${AFTER_TIMEOUT}`] : [line]
  }
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
    `  judged at   ${isoTime(answer.validatedAt)}${waited(details.performanceStats.consensusLatencyMs)}`,
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

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

export function registerValidateCommand(program: Command): void {
  program
    .command('validate')
    .description('send a request to a node and print the verdict')
    .argument('<file>', 'the request, or - for standard input')
    .option(
      '--to <url|multiaddr>',
      'a node: its CA endpoint, stoq://[::1]:9292, or a p2p address ending in /p2p/<peer id>; again for others to ask when it fails',
      collect,
    )
    .option(
      '--discover <domain>',
      'find the nodes by the SRV records of a domain; --to is for when there are none',
    )
    .option('--dns <address>', "DNS server to ask, with its port (default: the system's)", collect)
    .option('--json', 'print the raw answer')
    .option('--wait', 'try again and wait for the verdict until the time is up')
    .option('--timeout <seconds>', 'give up after so long', wholeNumber(1, 600), 15)
    .option(
      '--insecure',
      'accept any TLS certificate (on loopback any is accepted; over STOQ there is no other)',
    )
    .option('--pin <file>', 'accept this TLS certificate (PEM) and no other')
    .option('--genesis <file|hash>', 'network of a multiaddr (default: the networks known on this machine)')
    .option('--data <dir>', 'data directory of a node of that network')
    .addHelpText(
      'after',
      '\nExit code: 0 Valid, 1 Invalid, 65 the request cannot be read, 69 no verdict.' +
        "\n\nExamples:\n  $ hypermesh request certificate | hypermesh validate - --to 'https://[::1]:8080'" +
        "\n  $ hypermesh validate request.json --to 'https://[::1]:8080' --to 'https://[::1]:8081'" +
        '\n  $ hypermesh validate request.json --discover example.org',
    )
    .action(async (file: string, options: AskOptions & { readonly json?: boolean }) => {
      const { answer, payload, before } = await askNetwork(options, await readRequest(file))
      for (const { endpoint, outcome, why } of before)
        process.stderr.write(`${endpoint}: ${outcome}, ${why}\n`)
      if (options.json === true) print(Buffer.from(payload).toString())
      else for (const line of answerLines(answer)) print(line)
      process.exitCode = exitCodeOf(answer)
    })
}
