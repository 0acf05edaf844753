/** The key of a request that is in a file. */

import { requestKeyOf as keyOfBytes } from '../client/request-key.ts'
import type { RequestKey } from '../types/primitives.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { readRequest } from './validate.ts'

/** Key of the request in a file. @throws CliError `E_FILE`, `E_REQUEST` (65) */
export async function requestKeyOf(file: string): Promise<RequestKey> {
  const key = keyOfBytes(await readRequest(file))
  if (key.ok) return key.value
  throw new CliError('E_REQUEST', `${file} is no request that a node would take`, {
    why: key.detail,
    fix: 'give the very file that was sent',
    exitCode: EXIT.data,
  })
}
