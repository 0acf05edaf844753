/** `verify`: checks a receipt offline and says in words what is proven. Opens no connection and needs no node. */

import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { checkpointJson } from '../codec/checkpoint-json.ts'
import { parseReceiptJson } from '../codec/receipt-json.ts'
import { selectMlDsa65 } from '../crypto/select.ts'
import { signatureVerifier } from '../crypto/verify-signature.ts'
import { isOnRequestId, isValid, provenReasons } from '../ledger/receipt/verdict-facts.ts'
import { type ProvenVerdict, verifyReceipt } from '../ledger/receipt/verify-receipt.ts'
import type { ReceiptTrust } from '../types/receipt.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { print, printJson } from './print.ts'
import { receiptTrust, type TrustOptions } from './receipt-trust.ts'
import { requestKeyOf } from './request-key.ts'
import { readRequest } from './validate.ts'

interface VerifyOptions extends TrustOptions {
  readonly requestId?: string
  readonly request?: string
  readonly requireValid?: boolean
  readonly saveCheckpoint?: string
  readonly json?: boolean
}

const VERDICTS = { valid: 'Valid', invalid: 'Invalid', expired: 'Expired' } as const
const KINDS = {
  'validate-certificate': 'certificate request',
  'validate-proofs': 'four-proof set',
  operation: 'operation',
} as const

function doesNotHold(check: string, why: string): CliError {
  return new CliError('E_RECEIPT', `the receipt does not hold: ${check}`, {
    why,
    fix: 'get the receipt again, from another node if need be; believe nothing that it says',
  })
}

/** What it says is proven, and it is about something else. */
function isOfAnother(why: string): CliError {
  return new CliError('E_RECEIPT', 'the receipt does not hold: other-request', {
    why,
    fix: 'check that receipt and request belong together: the receipt itself is in order, and proves nothing of this one',
  })
}

/** Says what the receipt was compared with. @throws CliError `E_RECEIPT` (1) when it is on another request */
async function compared({ record }: ProvenVerdict, { requestId, request }: VerifyOptions): Promise<string> {
  const same: string[] = []
  if (requestId !== undefined) {
    if (!isOnRequestId(record, requestId)) {
      throw isOfAnother(`the verdict is on another request than "${requestId}"`)
    }
    same.push(`the request of id "${requestId}"`)
  }
  if (request !== undefined) {
    const key = await requestKeyOf(request)
    if (key !== record.requestKey) {
      throw isOfAnother(`the verdict is on request ${record.requestKey}, ${request} is request ${key}`)
    }
    same.push(`the request in ${request}, in every field that requests have`)
  }
  return same.length > 0
    ? same.join(' and ')
    : 'not compared with a request: --request-id or --request says whose verdict it must be'
}

/** What a person reads of a receipt that holds. */
export function provenLines(proven: ProvenVerdict, trustName: string, about: string): string[] {
  const { record, block, set, voters, signedStake, totalStake, handOvers, position } = proven
  const percent = Number((signedStake * 1_000n) / totalStake) / 10
  return [
    `${VERDICTS[record.status]}: the receipt holds`,
    ...provenReasons(record).map((reason) => `  reason       ${reason}`),
    `  request      ${KINDS[record.kind]} ${record.requestKey}`,
    `  about        ${about}`,
    `  proof hash   ${record.proofHash}`,
    `  judged       at height ${record.height}, ${new Date(record.blockTime).toISOString()}; verdict ${position} of the ledger`,
    `  certified    by block ${block.height}, ${new Date(block.timestamp).toISOString()}, ${block.hash}`,
    `  signed by    ${voters} of the ${set.validators.length} validators of epoch ${set.epoch}: stake ${signedStake} of ${totalStake}, ${percent.toFixed(1)} %`,
    `  you trust    ${trustName}`,
    `  followed     ${handOvers === 0 ? 'no change of the validators' : `${handOvers} ${handOvers === 1 ? 'change' : 'changes'} of the validators`} since`,
  ]
}

/** The same for a program. */
function provenObject(proven: ProvenVerdict, trust: ReceiptTrust): object {
  const { record, block, set, voters, signedStake, totalStake, handOvers, position } = proven
  return {
    verdict: VERDICTS[record.status],
    reasons: provenReasons(record),
    kind: record.kind,
    requestKey: record.requestKey,
    requestIdHash: record.requestIdHash,
    proofHash: record.proofHash,
    height: record.height,
    time: record.blockTime,
    position,
    certifiedBy: block,
    epoch: set.epoch,
    voters,
    validators: set.validators.length,
    signedStake,
    totalStake,
    genesisHash: trust.genesisHash,
    trust: trust.kind,
    handOvers,
  }
}

export function registerVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('check a receipt offline and say what it proves')
    .argument('<file>', 'the receipt, or - for standard input')
    .option('--genesis <file>', "trust the founders in this genesis.json, the network's")
    .option('--data <dir>', 'take genesis.json from the data directory of a node')
    .option(
      '--checkpoint <height:block|file>',
      'trust a final block of that network instead, or the validators in a file of --save-checkpoint',
    )
    .option('--request-id <id>', 'the verdict must be on the request of this id, or of this request key')
    .option('--request <file>', 'the verdict must be on this request, in every field that requests have')
    .option('--require-valid', 'exit with 1 when the verdict is Invalid')
    .option('--save-checkpoint <file>', 'write the validators that signed, to check later receipts with')
    .option('--json', 'print what is proven as JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 the receipt holds, be the verdict Valid or Invalid; 1 it does not, or --require-valid and Invalid;' +
        '\n64 wrong use; 65 a file cannot be read, or the checkpoint not be written.' +
        '\n\nExamples:\n  $ hypermesh verify receipt.json --genesis genesis.json --request request.json --require-valid' +
        '\n  $ hypermesh verify receipt.json --genesis genesis.json --checkpoint 184203:9f3c…',
    )
    .action(async (file: string, options: VerifyOptions) => {
      if (file === '-' && options.request === '-') {
        throw usageError('receipt and request cannot both come by standard input', 'name a file for one')
      }
      const { trust, name } = receiptTrust(options)
      const receipt = parseReceiptJson(Buffer.from(await readRequest(file, 'receipt')).toString())
      if (!receipt.ok) throw doesNotHold('malformed', receipt.detail)
      const proven = verifyReceipt(receipt.value, trust, signatureVerifier(selectMlDsa65()))
      if (!proven.ok) throw doesNotHold(proven.code, proven.detail)
      const about = await compared(proven.value, options)
      if (options.json === true) printJson(provenObject(proven.value, trust))
      else for (const line of provenLines(proven.value, name, about)) print(line)
      if (options.saveCheckpoint !== undefined) save(options.saveCheckpoint, proven.value, trust)
      if (options.requireValid === true && !isValid(proven.value.record)) {
        throw new CliError('E_VERDICT_INVALID', 'the receipt holds, and the verdict is Invalid', {
          why: provenReasons(proven.value.record).join('; '),
          fix: 'leave --require-valid out to accept both',
        })
      }
    })
}

function save(path: string, { set }: ProvenVerdict, { genesisHash, epochBlocks }: ReceiptTrust): void {
  const { epoch, validators } = set
  try {
    writeFileSync(
      path,
      checkpointJson({ kind: 'validator-set', genesisHash, epochBlocks, epoch, validators }),
      {
        flag: 'wx',
      },
    )
  } catch (cause) {
    throw new CliError('E_FILE', `the checkpoint ${path} cannot be written`, {
      why: (cause as Error).message,
      fix:
        (cause as NodeJS.ErrnoException).code === 'EEXIST'
          ? 'name a file that is not there yet'
          : 'name a file in a folder that is there and that this user may write to',
      exitCode: EXIT.data,
      cause,
    })
  }
}
