/** `--trust HEIGHT:BLOCK_ID`: refused with an example before anything is made or opened. */
import { trustedBlock } from '../config/values.ts'
import { usageError } from './errors.ts'

/** @throws UsageError when it names no block */
export function checkTrust(text: string | undefined): void {
  if (text === undefined || (text !== '' && trustedBlock.safeParse(text).success)) return
  throw usageError(
    `--trust ${text}: expected HEIGHT:BLOCK_ID`,
    'take height and hash of a final block from somebody you trust: "hypermesh block final" on their node shows both',
  )
}
