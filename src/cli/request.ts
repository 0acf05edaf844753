/** `request`: prints one fresh, well-formed validation request, byte for byte as TrustChain's Rust client writes it. */

import { randomBytes } from 'node:crypto'
import { Argument, type Command, Option } from 'commander'
import { certificateValidationRequest, fourProofValidationRequest } from '../rpc/trustchain-json-request.ts'
import { CERTIFICATE_TYPES } from '../types/validation-request.ts'
import { PROOF_NAMES, type ProofName } from '../types/verdict.ts'
import {
  type Freshness,
  freshCertificateRequest,
  freshFourProofRequest,
  type RequestSubject,
} from './fresh-request.ts'
import { amountOption, wholeNumber } from './parse-options.ts'
import { print } from './print.ts'

interface RequestOptions extends RequestSubject {
  readonly bad?: ProofName
  readonly commonName: string
}

/** Now and a random nonce. */
export function freshness(bad: ProofName | null): Freshness {
  const nowUs = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000))
  return { nowUs, nonce: randomBytes(8).readBigUInt64LE(), bad }
}

export function registerRequestCommand(program: Command): void {
  program
    .command('request')
    .description("print a fresh request, as TrustChain's client would send it")
    .addArgument(new Argument('<kind>', 'what is to be validated').choices(['certificate', 'four-proof']))
    .addOption(new Option('--bad <proof>', 'break this proof, and only this one').choices(PROOF_NAMES))
    .option('--node <name>', "id or alias of an operator, in place of TrustChain's test ids")
    .option('--stake <n>', 'stake that is claimed', amountOption)
    .option('--storage <bytes>', 'storage that is claimed', amountOption)
    .addOption(new Option('--certificate-type <type>', 'what it is for').choices(CERTIFICATE_TYPES))
    .option('--difficulty <bits>', 'work that a four-proof set claims', wholeNumber(1, 256))
    .option('--common-name <name>', 'name on the certificate, or of the asset', 'test.hypermesh.online')
    .addHelpText(
      'after',
      "\nExamples:\n  $ hypermesh request certificate | hypermesh validate - --to 'https://[::1]:8080'" +
        '\n  $ hypermesh request four-proof --bad space',
    )
    .action((kind: string, { bad, commonName, ...subject }: RequestOptions) => {
      const fresh = freshness(bad ?? null)
      print(
        kind === 'certificate'
          ? certificateValidationRequest.write(freshCertificateRequest(fresh, commonName, subject))
          : fourProofValidationRequest.write(freshFourProofRequest(fresh, commonName, subject)),
      )
    })
}
