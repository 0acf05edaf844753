/** We are wrong. Nobody catches this: the process stops rather than guess. */
export class InvariantViolation extends Error {
  constructor(what: string) {
    super(`invariant violated: ${what}`)
    this.name = 'InvariantViolation'
  }
}

/** Throws {@link InvariantViolation} unless `condition` holds. For our own bugs only, never for input. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantViolation(what)
}

/** Closes a switch over a union: a missing case is a compile error. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable case ${JSON.stringify(value)}`)
}
