/** What can be wrong with what an operator configured: configuration (exit 78) and data directory (65, 73). */

import { NodeError } from '../types/errors.ts'

/** The configuration must be changed before the node can start: EX_CONFIG. */
export class ConfigError extends NodeError {
  constructor(code: string, what: string, options: { why?: string; fix?: string; cause?: unknown } = {}) {
    super(code, what, { ...options, exitCode: 78 })
  }
}

/** The data directory cannot be used: 65 when its content does not fit, 73 when it cannot be written. */
export class DataDirectoryError extends NodeError {}
