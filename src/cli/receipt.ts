/** `receipt`: gets the receipt of a verdict from a node and prints it as the node gave it. Does not check what it proves. */

import type { Command } from 'commander'
import { parseReceiptJson, RECEIPT_JSON_BYTES_MAX } from '../codec/receipt-json.ts'
import { decodeVerdict } from '../codec/verdict.ts'
import { isOnRequestId } from '../ledger/receipt/verdict-facts.ts'
import { readJson } from '../rpc/json-shape.ts'
import { validationAnswer } from '../rpc/trustchain-json-response.ts'
import { COUNTER_MAX } from '../types/primitives.ts'
import { RECEIPT_WAIT_MS_MAX } from '../validation/receipt-desk.ts'
import { callNode } from './ask-network.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { wholeNumber } from './parse-options.ts'
import { requestKeyOf } from './request-key.ts'

interface ReceiptOptions {
  readonly to: string
  /** Seconds. */
  readonly wait: number
  /** Seconds. */
  readonly timeout: number
  readonly request?: string
  readonly fromHeight?: number
  readonly fromEpoch?: number
  readonly insecure?: boolean
  readonly genesis?: string
  readonly data?: string
}

/** What the node is asked beside the id, by the names of the wire. */
function numbersOf({ wait, fromHeight, fromEpoch }: ReceiptOptions): Record<string, number> {
  return {
    wait_ms: wait * 1_000,
    ...(fromHeight === undefined ? {} : { from_height: fromHeight }),
    ...(fromEpoch === undefined ? {} : { from_epoch: fromEpoch }),
  }
}

function ask(requestId: string, options: ReceiptOptions): Promise<Uint8Array> {
  const payload = Buffer.from(JSON.stringify({ request_id: requestId, ...numbersOf(options) }))
  return callNode(options, 'receipt', payload, RECEIPT_JSON_BYTES_MAX)
}

/** Why there is no receipt, as the node says it. */
function refusal(to: string, body: Uint8Array): CliError {
  const answer = readJson(validationAnswer, body)
  if (!answer.ok || answer.value.result.kind !== 'error') {
    return new CliError('E_ANSWER', `${to} answered something else than a receipt`, {
      fix: 'check that --to is the CA endpoint of a hypermesh node',
      exitCode: EXIT.network,
    })
  }
  const { errorCode, message } = answer.value.result
  return new CliError('E_NO_RECEIPT', `${to} gives no receipt: ${errorCode}`, {
    why: message,
    fix:
      errorCode === 'RECEIPT_NOT_READY'
        ? 'try again in a moment'
        : errorCode === 'REQUEST_NOT_FOUND'
          ? 'check the id, or give the request with --request: a four-proof set has no id but its request key'
          : 'ask another node, or name another checkpoint',
    exitCode: errorCode === 'RECEIPT_NOT_READY' ? EXIT.network : EXIT.failure,
  })
}

export function registerReceiptCommand(program: Command): void {
  program
    .command('receipt')
    .description('get the receipt of a verdict, for whoever trusts no node')
    .argument('[request-id]', 'request_id of a certificate request, or the request key of any')
    .option('--request <file>', 'the request itself, or - for standard input, instead of an id')
    .requiredOption(
      '--to <url|multiaddr>',
      'the node: its CA endpoint, stoq://[::1]:9292, or a p2p address ending in /p2p/<peer id>',
    )
    .option(
      '--wait <seconds>',
      'wait so long until the state with the verdict is certified',
      wholeNumber(0, RECEIPT_WAIT_MS_MAX / 1_000),
      RECEIPT_WAIT_MS_MAX / 1_000,
    )
    .option(
      '--from-height <height>',
      'start from this block instead of genesis: for verify --checkpoint HEIGHT:BLOCK_ID',
      wholeNumber(0, COUNTER_MAX),
    )
    .option(
      '--from-epoch <epoch>',
      'start from the validators of this epoch: for verify --checkpoint FILE',
      wholeNumber(0, COUNTER_MAX),
    )
    .option('--timeout <seconds>', 'give up after so long', wholeNumber(1, 600), 15)
    .option('--insecure', 'accept any TLS certificate (on loopback any is accepted)')
    .option('--genesis <file|hash>', 'network of a multiaddr (default: the networks known on this machine)')
    .option('--data <dir>', 'data directory of a node of that network')
    .addHelpText(
      'after',
      "\nExamples:\n  $ hypermesh receipt REQUEST_ID --to 'https://[::1]:8080' > receipt.json" +
        "\n  $ hypermesh receipt --request request.json --to 'https://[::1]:8080' > receipt.json",
    )
    .action(async (named: string | undefined, options: ReceiptOptions) => {
      if ((named === undefined) === (options.request === undefined)) {
        throw usageError(
          'whose verdict is not said once',
          'give the request id, or the request with --request',
        )
      }
      if (options.fromHeight !== undefined && options.fromEpoch !== undefined) {
        throw usageError('--from-height and --from-epoch name two checkpoints', 'give one of them')
      }
      const requestId = named ?? (await requestKeyOf(options.request ?? '-'))
      const body = await ask(requestId, options)
      const text = Buffer.from(body).toString()
      const receipt = parseReceiptJson(text)
      if (!receipt.ok) throw refusal(options.to, body)
      const record = decodeVerdict(receipt.value.record)
      if (!record.ok || !isOnRequestId(record.value, requestId)) {
        throw new CliError('E_ANSWER', `${options.to} answered with the receipt of another request`, {
          fix: 'ask another node',
          exitCode: EXIT.network,
        })
      }
      process.stdout.write(text)
    })
}
