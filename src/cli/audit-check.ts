/** Reads the files of an audit log from end to end and checks their chain. Changes nothing, and needs no node. */
import { createReadStream } from 'node:fs'
import { lineFilesIn } from '../storage/line-files.ts'
import { AuditChain } from '../validation/audit-chain.ts'
import { AUDIT_LINE_BYTES_MAX, type AuditHead } from '../validation/audit-line.ts'

/** What a check found. */
export interface AuditCheck {
  readonly files: number
  /** Lines that are in order, from the first on. */
  readonly lines: number
  /** Number of the first line; more than 1 when older files are gone. Null when there is no line. */
  readonly first: number | null
  readonly head: AuditHead | null
  /** Calls that the log itself says it lacks. */
  readonly lostCalls: number
  /** Where the chain breaks first. */
  readonly broken: { readonly path: string; readonly line: number; readonly why: string } | null
}

const NEWLINE = 0x0a

/** Lines of a file without their ends, and with `isWhole` false what is left behind the last. */
async function* linesOf(path: string): AsyncGenerator<{ bytes: Uint8Array; isWhole: boolean }> {
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      yield { bytes: bytes.subarray(start, end), isWhole: true }
      start = end + 1
    }
    rest = bytes.subarray(start)
    // No line is so long: what comes is read no further.
    if (rest.length > AUDIT_LINE_BYTES_MAX) break
  }
  if (rest.length > 0) yield { bytes: rest, isWhole: false }
}

function lostIn(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString()
  return Number(/^\{"sequence":\d+,"time":"[^"]*","event":"lost","calls":(\d+),/.exec(text)?.[1] ?? 0)
}

/** @throws Error of the file system */
export async function checkAuditLog(folder: string): Promise<AuditCheck> {
  const chain = new AuditChain()
  const files = await lineFilesIn(folder)
  let lines = 0
  let lostCalls = 0
  const found = (broken: AuditCheck['broken']): AuditCheck => ({
    files: files.length,
    lines,
    first: chain.first,
    head: chain.head,
    lostCalls,
    broken,
  })
  for (const { path, firstSequence } of files) {
    let line = 0
    for await (const { bytes, isWhole } of linesOf(path)) {
      line += 1
      if (!isWhole)
        return found({ path, line, why: 'it has no end: a node was stopped while it wrote, or still writes' })
      const taken = chain.next(bytes)
      if (!taken.ok) return found({ path, line, why: taken.detail })
      if (line === 1 && taken.value.sequence !== firstSequence) {
        return found({
          path,
          line,
          why: `it has the number ${taken.value.sequence}, the file is named after ${firstSequence}`,
        })
      }
      lines += 1
      lostCalls += lostIn(bytes)
    }
  }
  return found(null)
}
