/** Tells the validator of a data directory what to say about an operation, once a node says that there is such a one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataDirectoryAt } from '../config/data-directory.ts'
import { writeOperationVote } from '../config/operation-votes.ts'
import { NodeError } from '../types/errors.ts'
import type { OperationVote } from '../types/operations.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { ApiOptions } from './api-client.ts'
import { CliError } from './errors.ts'
import { askOperation } from './operations-client.ts'
import { openSigner } from './stake-client.ts'

/** A node may be some blocks behind the one that just told whoever proposed that it is final. */
const ASKED_MS = 5_000
const POLL_MS = 500

/** What was said, and by whose validator. */
export interface SaidVote {
  readonly data: string
  /** That no node could be asked whether there is such an operation; null when one was. */
  readonly note: string | null
}

/**
 * Written beside the key; the validator reads it when it commits itself. Taking it back asks nobody.
 * @param askedMs how long a node is asked again that knows of no such operation
 * @throws CliError `E_NO_OPERATION` (1) when the node that is asked knows of none: a slip in the id would be an
 *   abstention that nobody notices
 */
export async function sayVote(
  options: ApiOptions,
  id: RequestKey,
  vote: OperationVote,
  askedMs = ASKED_MS,
): Promise<SaidVote> {
  const { data } = await openSigner(options)
  const note = vote === 'abstain' ? null : await lookedUp({ ...options, data }, id, askedMs)
  writeOperationVote(dataDirectoryAt(data).operationVotes, id, vote)
  return { data, note }
}

async function lookedUp(options: ApiOptions, id: RequestKey, askedMs: number): Promise<string | null> {
  const end = Date.now() + askedMs
  for (;;) {
    try {
      await askOperation(options, id)
      return null
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      if (error.code !== 'E_NOT_FOUND')
        return `not checked whether there is such an operation: ${error.message}`
      if (Date.now() > end) throw unknownOperation(id, error)
    }
    await sleep(POLL_MS)
  }
}

function unknownOperation(id: RequestKey, cause: NodeError): CliError {
  return new CliError('E_NO_OPERATION', `the node knows no operation ${id}`, {
    why: cause.message,
    fix: 'copy the id from "hypermesh operation list"; nothing was said about it',
    cause,
  })
}
