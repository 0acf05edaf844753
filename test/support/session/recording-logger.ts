/** A logger that keeps its lines, so that a test can wait for a reason to be logged. */

import type { Logger } from '../../../src/types/logger.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = []

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message)
  }
  info(fields: object, message: string): void {
    this.#keep('info', fields, message)
  }
  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message)
  }
  error(fields: object, message: string): void {
    this.#keep('error', fields, message)
  }

  /** The `code` field of every line that has one. */
  codes(): unknown[] {
    return this.lines.flatMap(({ fields }) => ('code' in fields ? [fields['code']] : []))
  }

  #keep(level: LogLine['level'], fields: object, message: string): void {
    this.lines.push({ level, fields: { ...fields }, message })
  }
}
