/**
 * `attest`: fills the attestation of a real request, for networks that ask for more than declarations. Everything in
 * the request is bound to it, so this is the last thing that is done before `validate`.
 */

import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Command } from 'commander'
import { canonicalTransaction } from '../codec/transaction.ts'
import { leafCount } from '../ledger/attestation/space-tree.ts'
import type { BlockView, StatusView } from '../rpc/http/api-ports.ts'
import { readJson } from '../rpc/json-shape.ts'
import { certificateValidationRequest, fourProofValidationRequest } from '../rpc/trustchain-json-request.ts'
import type { Anchor } from '../types/attestation.ts'
import { asHeight, type BlockHash } from '../types/primitives.ts'
import { isValidation, type ValidationTransaction } from '../types/transaction.ts'
import { type ApiOptions, addNodeOptions, askApi } from './api-client.ts'
import { kindOfRequest } from './ask-network.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { attestRequest, workBits } from './operators/make-attestation.ts'
import { askOperator, askPolicy, openOperatorKey } from './operators/operator-client.ts'
import { openSpaceLeaves, readCommitment } from './operators/space-file.ts'
import { print } from './print.ts'
import { askStatus, openSigner } from './stake-client.ts'

interface AttestOptions extends ApiOptions {
  readonly space: string
}

/** Half an hour on one core; who is asked for more has other means. */
const WORK_BITS_MAX = 32

async function readBytes(file: string): Promise<Uint8Array> {
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

function malformed(why: string): CliError {
  return new CliError('E_REQUEST', 'the request cannot be read', {
    why,
    fix: 'make one with "hypermesh request certificate"',
    exitCode: EXIT.data,
  })
}

function readTransaction(bytes: Uint8Array): ValidationTransaction {
  const shape = {
    certificate: certificateValidationRequest,
    'four-proof': fourProofValidationRequest,
  } as const
  const kind = kindOfRequest(bytes)
  const read = readJson(shape[kind] as (typeof shape)['certificate'], bytes)
  if (!read.ok) throw malformed(read.detail)
  const transaction = {
    kind: kind === 'certificate' ? 'validate-certificate' : 'validate-proofs',
    request: read.value,
  } as ValidationTransaction
  // As every validator reads it: what is bound is the canonical form.
  const canonical = canonicalTransaction(transaction)
  if (!canonical.ok) throw malformed(canonical.detail)
  if (!isValidation(canonical.value)) throw malformed('it is no request')
  return canonical.value.transaction
}

/** A block that stays, and is recent: the last final one, or the last settled one where nothing is final. */
async function anchorOf(options: ApiOptions, { final, leader, mined }: StatusView): Promise<Anchor> {
  const block =
    leader !== null || mined === undefined
      ? final
      : ((await askApi(options, `/v1/blocks/${mined.settledHeight}`)) as BlockView)
  return { height: asHeight(block.height), hash: block.hash as BlockHash }
}

async function attest(file: string, options: AttestOptions): Promise<void> {
  const transaction = readTransaction(await readBytes(file))
  const { data, id, genesisHash } = await openSigner(options)
  const status = await askStatus(options, { genesisHash })
  const [operator, { assurance }] = await Promise.all([askOperator(options, id), askPolicy(options)])
  const commitment = await readCommitment(options.space)
  if (operator.space?.root !== commitment.root) {
    throw new CliError(
      'E_SPACE_NOT_REGISTERED',
      `${options.space} is not the space of ${operator.operatorId}`,
      {
        why: `registered is ${operator.space?.root ?? 'none'}, the folder has ${commitment.root}`,
        fix: 'name the folder that is registered, or register this one with "hypermesh operator update --space"',
        exitCode: EXIT.data,
      },
    )
  }
  const bits = workBits(transaction, assurance.minimumWorkBits)
  if (bits > WORK_BITS_MAX) {
    throw new CliError('E_WORK_BITS', `${bits} bits of work would take too long`, {
      why: `this command searches up to ${WORK_BITS_MAX}`,
      fix: 'lower difficulty_target in the request; the network asks for less',
      exitCode: EXIT.data,
    })
  }
  const key = await openOperatorKey(data)
  const attested = await attestRequest(transaction, {
    genesisHash,
    anchor: await anchorOf(options, status),
    operatorId: operator.operatorId,
    // Microseconds: above the last one, whoever of the operator's machines made that.
    sequence: BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000)),
    minimumWorkBits: assurance.minimumWorkBits,
    leaves: leafCount(commitment),
    openLeaves: (indices) => openSpaceLeaves(options.space, commitment, indices),
    sign: (statement) => key.sign(statement, 'stake-attestation'),
  })
  print(
    attested.kind === 'validate-certificate'
      ? certificateValidationRequest.write(attested.request)
      : fourProofValidationRequest.write(attested.request),
  )
}

export function registerAttestCommand(program: Command): void {
  addNodeOptions(
    program
      .command('attest')
      .description("add an operator's attestation to a request, bound to a recent final block")
      .argument('<file>', 'the request, or - for standard input'),
  )
    .requiredOption('--space <dir>', 'the space that the operator registered')
    .addHelpText(
      'after',
      '\nExample:\n  $ hypermesh request certificate --node acme | hypermesh attest - --data ./net/node-0 --space ./space > request.json' +
        "\n  $ hypermesh validate request.json --to 'https://[::1]:8080'",
    )
    .action(attest)
}
