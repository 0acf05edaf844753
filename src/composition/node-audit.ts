/** Opens the audit log on the disk, and tells log and metrics what becomes of it. */
import { resolve } from 'node:path'
import type { AuditConfig } from '../config/schema.ts'
import type { Metrics } from '../observability/metrics.ts'
import { LineFiles, type OpenedLineFiles } from '../storage/line-files.ts'
import { messageOf, STORAGE_EXIT, StorageError } from '../storage/storage-error.ts'
import { unreachable } from '../types/assert.ts'
import type { Logger } from '../types/logger.ts'
import { AUDIT_LINE_BYTES_MAX, readAuditLine } from '../validation/audit-line.ts'
import { type AuditEvent, AuditLog } from '../validation/audit-log.ts'
import type { SystemClock } from './system-clock.ts'

export interface NodeAuditParts {
  readonly config: AuditConfig
  /** The data directory. */
  readonly root: string
  readonly clock: SystemClock
  readonly metrics: Pick<Metrics, 'audit'>
  readonly logger: Logger
}

/** Folder of the log. */
export function auditFolder(root: string, config: Pick<AuditConfig, 'path'>): string {
  return resolve(root, config.path)
}

/**
 * @returns undefined when it is switched off, or cannot be opened and the operator wants answers all the same
 * @throws StorageError `E_AUDIT_LOG` (73) or `E_AUDIT_DAMAGED` (65) when he does not
 */
export async function openAudit(parts: NodeAuditParts): Promise<AuditLog | undefined> {
  const { config, logger, metrics } = parts
  if (!config.enabled) return undefined
  try {
    return await open(parts)
  } catch (error) {
    metrics.audit.failing.set(1)
    if (config.onFailure === 'refuse') throw error
    const advice = error instanceof StorageError ? error.advice : {}
    logger.error({ error, ...advice }, 'the audit log cannot be opened: calls are answered and not recorded')
    return undefined
  }
}

async function open(parts: NodeAuditParts): Promise<AuditLog> {
  const { config, root, clock, logger } = parts
  const folder = auditFolder(root, config)
  const { files, lastLine, tornBytes } = await openFiles(folder, config)
  const head = lastLine === null ? null : readAuditLine(lastLine)
  if (head !== null && !head.ok) {
    await files.close()
    throw damaged(folder, head.detail)
  }
  const log = new AuditLog({
    disk: files,
    head: head?.value ?? null,
    clock,
    onFailure: config.onFailure,
    observe: auditObserver(parts, folder, () => log.waiting),
  })
  if (tornBytes > 0) {
    logger.warn({ folder, tornBytes }, 'the audit log ended within a line, which was cut off')
    log.tornLine(tornBytes)
  }
  return log
}

async function openFiles(folder: string, config: AuditConfig): Promise<OpenedLineFiles> {
  const { fileBytesMax, filesMax } = config
  try {
    return await LineFiles.open({ folder, fileBytesMax, filesMax, lineBytesMax: AUDIT_LINE_BYTES_MAX })
  } catch (cause) {
    throw new StorageError('E_AUDIT_LOG', `the audit log in ${folder} cannot be opened`, {
      why: messageOf(cause),
      fix: 'correct the folder and its owner, name another with --audit.path, or set audit.enabled = false',
      exitCode: STORAGE_EXIT.dataDirectory,
      cause,
    })
  }
}

function damaged(folder: string, why: string): StorageError {
  return new StorageError('E_AUDIT_DAMAGED', `the last line of the audit log in ${folder} is not in order`, {
    why,
    fix: 'look at it with "hypermesh audit verify", then move the folder away; the node begins a new log',
    exitCode: STORAGE_EXIT.data,
  })
}

/** How often it is said that calls are missing, however many they are. */
const SAY_LOST_MS = 10_000

/** Loud at once, and then not more often than a person can read. */
function auditObserver(
  { metrics: { audit }, logger, clock }: NodeAuditParts,
  folder: string,
  waiting: () => number,
): (event: AuditEvent) => void {
  let unsaid = 0
  let saidAtMs = Number.NEGATIVE_INFINITY
  const lost = (): void => {
    unsaid += 1
    if (clock.monotonicMs() - saidAtMs < SAY_LOST_MS) return
    logger.error({ folder, calls: unsaid }, 'calls are missing in the audit log')
    unsaid = 0
    saidAtMs = clock.monotonicMs()
  }
  return (event) => {
    switch (event.kind) {
      case 'written':
        audit.lines.add(event.lines)
        break
      case 'lost':
        audit.lost.add(1, { reason: event.reason })
        lost()
        break
      case 'failing':
        audit.failing.set(1)
        logger.error({ error: event.error, folder }, 'the audit log cannot be written; it is tried again')
        break
      case 'recovered':
        audit.failing.set(0)
        logger.warn({ folder, lostCalls: event.lostCalls }, 'the audit log is written again')
        break
      default:
        unreachable(event)
    }
    audit.waiting.set(waiting())
  }
}
