/**
 * What the operator of a validator says about critical operations: a file for each, named by the operation, in the data
 * directory. The command line writes them, the node reads one when it commits itself to a finding. Who can write there
 * can use the key beside it, too.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolders } from '../files/make-folders.ts'
import { OPERATION_VOTES, type OperationVote } from '../types/operations.ts'
import type { RequestKey } from '../types/primitives.ts'
import { writeFileWhole } from './data-directory.ts'

/**
 * @param folder of a data directory
 * @returns abstain when nothing was said, or what was written means nothing or cannot be read
 */
export function readOperationVote(folder: string, operation: RequestKey): OperationVote {
  let text: string
  try {
    text = readFileSync(join(folder, operation), 'utf8')
  } catch {
    return 'abstain'
  }
  return OPERATION_VOTES.find((vote) => text === `${vote}\n`) ?? 'abstain'
}

/** Says it; `abstain` takes back what was said. Durable when it returns. @throws when the folder cannot be written */
export function writeOperationVote(folder: string, operation: RequestKey, vote: OperationVote): void {
  makeFolders(folder)
  if (vote === 'abstain') rmSync(join(folder, operation), { force: true })
  else writeFileWhole(join(folder, operation), `${vote}\n`)
}
