/**
 * `operation`: what changes the network itself. Proposes with the identity key of a data directory, tells the validator
 * of that directory what to say about an operation, and shows what was decided.
 */

import { type Command, InvalidArgumentError } from 'commander'
import { isHex } from '../codec/hex.ts'
import { OPERATION_KINDS, operationFields } from '../codec/operation-json.ts'
import type { OperationResultView, OperationView } from '../rpc/http/operation-ports.ts'
import type { NetworkOperation, OperationVote } from '../types/operations.ts'
import { asHeight, type RequestKey } from '../types/primitives.ts'
import { type ApiOptions, addApiOptions } from './api-client.ts'
import { wholeNumber } from './parse-options.ts'
import { print, printJson } from './print.ts'

/** Minutes in which operators can make up their minds, on an idle chain of two seconds a block. */
const OPENS_AFTER_DEFAULT = 100

interface OperationOptions extends ApiOptions {
  readonly opensAfter: number
  readonly signatures?: readonly string[]
  readonly sequence?: number
  readonly wait?: number
  readonly escalate?: RequestKey
}

function idArgument(text: string): RequestKey {
  if (!isHex(text, 32)) throw new InvalidArgumentError('Expected an operation id: 64 lower-case hex digits.')
  return text as RequestKey
}

function headLine({ id, kind, state, route, height, opensAt }: OperationView): string {
  const when = height === null ? `opens at height ${opensAt}` : `height ${height}`
  return `${id}  ${kind}  ${state} (${route}, ${when})`
}

function resultLines(view: OperationResultView): string[] {
  const { tally, participatingNodes, trustAdjustments } = view
  return [
    `operation ${view.id}`,
    `  kind      ${view.kind}, decided by ${view.route}`,
    `  state     ${view.state}${view.height === null ? '' : ` at height ${view.height}`}`,
    `  proposer  ${view.proposer}${view.proposedAt === null ? '' : `, at height ${view.proposedAt}`}`,
    ...(view.opensAt === null ? [] : [`  opens     at height ${view.opensAt}`]),
    ...(tally === null
      ? []
      : [
          `  tally     ${tally.status} in round ${tally.round}: ${tally.agreeing.validators} validators with stake ${tally.agreeing.stake} of ${tally.eligibleStake} agree, ${tally.dissenting} dissent`,
          `  voters    ${participatingNodes.length === 0 ? 'none' : participatingNodes.join(', ')}`,
        ]),
    ...trustAdjustments.map(({ account, before, after }) => `  trust     ${account} ${before} -> ${after}`),
    ...(view.operation === null ? [] : [`  content   ${JSON.stringify(view.operation)}`]),
  ]
}

async function show(id: RequestKey, options: OperationOptions): Promise<void> {
  const { askOperation, awaitDecision } = await import('./operations-client.ts')
  const view = await (options.wait === undefined
    ? askOperation(options, id)
    : awaitDecision(options, id, options.wait * 1_000))
  if (options.json === true) printJson(view)
  else for (const line of resultLines(view)) print(line)
}

async function list(options: OperationOptions): Promise<void> {
  const { askOperations } = await import('./operations-client.ts')
  const view = await askOperations(options)
  if (options.json === true) {
    printJson(view)
    return
  }
  for (const of of [...view.open, ...view.decided]) print(headLine(of))
  for (const { key, value, version } of view.entries)
    print(`${key} = ${JSON.stringify(value)} (version ${version})`)
  if (view.open.length + view.decided.length + view.entries.length === 0) print('no operations')
}

async function propose(source: string, options: OperationOptions): Promise<void> {
  const { readOperation, readSignatures, signAction } = await import('./operations-client.ts')
  const { standardOf } = await import('../ledger/operations/routing.ts')
  const { requireEffect } = await import('./operation-check.ts')
  const operation = await readOperation(options, source)
  await requireEffect(options, operation)
  const isStandard = standardOf(operation) !== null
  const authority = readSignatures(options.signatures ?? [])
  await send(options, (signer) =>
    signAction(
      options,
      signer,
      (final) => ({
        kind: 'propose',
        operation,
        opensAt: asHeight(isStandard ? 0 : final + options.opensAfter),
        authority,
      }),
      options.sequence,
    ),
  )
}

async function escalate(id: RequestKey, options: OperationOptions): Promise<void> {
  const { readSignatures, signAction } = await import('./operations-client.ts')
  const authority = readSignatures(options.signatures ?? [])
  await send(
    options,
    (signer) =>
      signAction(
        options,
        signer,
        (final) => ({ kind: 'escalate', id, opensAt: asHeight(final + options.opensAfter), authority }),
        options.sequence,
      ),
    id,
  )
}

async function send(
  options: OperationOptions,
  make: (
    signer: import('./stake-client.ts').StakeSigner,
  ) => Promise<import('../types/transaction.ts').HashedTransaction>,
  suspended?: RequestKey,
): Promise<void> {
  const { openSigner, sendToFinality } = await import('./stake-client.ts')
  const view = await sendToFinality(options, await make(await openSigner(options)))
  if (options.json === true) printJson(view)
  else if (suspended === undefined) print(`final at height ${view.height}: operation ${view.key}`)
  else print(`final at height ${view.height}: operation ${suspended} is suspended`)
}

async function certify(source: string | undefined, options: OperationOptions): Promise<void> {
  const { certifyBy, readOperation } = await import('./operations-client.ts')
  const { openSigner } = await import('./stake-client.ts')
  const { usageError } = await import('./errors.ts')
  const of: NetworkOperation | RequestKey | undefined =
    options.escalate ?? (source === undefined ? undefined : await readOperation(options, source))
  if (of === undefined) throw usageError('nothing to sign', 'name an operation, or --escalate <id>')
  printJson(certifyBy(await openSigner(options), of))
}

async function say(id: RequestKey, vote: OperationVote, options: OperationOptions): Promise<void> {
  const { sayVote } = await import('./operation-vote.ts')
  const { data, note } = await sayVote(options, id, vote)
  if (note !== null) process.stderr.write(`${note}\n`)
  const said = vote === 'abstain' ? 'nothing' : vote
  if (options.json === true) printJson({ id, vote })
  else print(`the validator of ${data} says ${said} about operation ${id}`)
}

function kindLines(): string {
  const widest = Math.max(...OPERATION_KINDS.map((kind) => kind.length))
  const lineOf = (kind: NetworkOperation['kind']) =>
    `  ${kind.padEnd(widest)}  ${operationFields(kind).slice(1).join(', ')}`
  return OPERATION_KINDS.map(lineOf).join('\n')
}

export function registerOperationCommand(program: Command): void {
  const operation = program
    .command('operation')
    .description('propose, decide and show what changes the network itself')
    .helpCommand(false)
  const verb = (name: string, description: string, example: string): Command =>
    addApiOptions(operation.command(name).description(description)).addHelpText(
      'after',
      `\nExample:\n  $ hypermesh operation ${example}`,
    )
  const signedVerb = (name: string, description: string, example: string): Command =>
    verb(name, description, example)
      .option('--signatures <file...>', 'of a certificate, as "operation certify" prints them')
      .option(
        '--opens-after <blocks>',
        'blocks from now after which it is voted on',
        wholeNumber(2, 100_000),
        OPENS_AFTER_DEFAULT,
      )
      .option(
        '--sequence <n>',
        "number of the account's transaction (default: the next); used up once, it is never done twice",
        wholeNumber(1, 2 ** 48),
      )
  const id = ['<id>', 'id of the operation', idArgument] as const

  signedVerb(
    'propose',
    'propose an operation; a standard one comes with its certificate',
    `propose '{"kind":"network-configuration","key":"policy.minimumStake","value":"500"}' --data ./net/node-0`,
  )
    .argument('<operation>', 'JSON, or a file of it')
    .addHelpText(
      'after',
      `\nKinds and their fields; a "version" that is left out is the next one of the key:\n${kindLines()}`,
    )
    .action(propose)
  verb(
    'certify',
    "print this validator's signature for a certificate",
    'certify ./operation.json --data ./net/node-1',
  )
    .argument('[operation]', 'JSON, or a file of it')
    .option('--escalate <id>', 'sign for the escalation of this operation instead', idArgument)
    .action(certify)
  signedVerb(
    'escalate',
    'suspend a standard operation of the last 16 blocks: all validators decide',
    'escalate 3f… --signatures a.json b.json --data ./net/node-0',
  )
    .argument(...id)
    .action(escalate)
  for (const [name, vote, what] of [
    ['approve', 'approve', 'let this validator approve an operation'],
    ['reject', 'reject', 'let this validator reject an operation'],
    ['abstain', 'abstain', 'take back what this validator was to say'],
  ] as const) {
    verb(name, what, `${name} 3f… --data ./net/node-0`)
      .argument(...id)
      .action((of: RequestKey, options: OperationOptions) => say(of, vote, options))
  }
  verb('show', 'show an operation and how it was decided', 'show 3f… --wait 60')
    .argument(...id)
    .option('--wait <seconds>', 'until it is decided', wholeNumber(1, 86_400))
    .action(show)
  verb('list', 'list operations and the keys that they wrote', 'list').action(list)
}
