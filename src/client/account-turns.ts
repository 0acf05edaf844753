/** Work that is done one after the other for an account, in the order of its calls: a ledger takes sequences in order. */
import { ClientError } from './client-error.ts'
import { type Clock, untilAborted } from './clock.ts'

/** That are under way or wait, of one account. */
const TURNS_MAX = 64

interface Line {
  count: number
  /** Ends, and never fails, with the last of the line. */
  end: Promise<void>
}

export class AccountTurns {
  readonly #clock: Clock
  readonly #lines = new Map<string, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Does the work when all earlier work for the account is done, well or badly.
   * @param endMs on the clock: how long to wait for the turn
   * @throws ClientError `E_BUSY` when 64 are before it or its turn does not come in time, and then nothing was done; the
   *   signal's reason; what the work throws
   */
  async inTurn<T>(
    account: string,
    { endMs, signal }: { readonly endMs: number; readonly signal: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T> {
    const line = this.#lines.get(account) ?? { count: 0, end: Promise.resolve() }
    if (line.count >= TURNS_MAX) throw busy(account, `${line.count} proposals of it are under way or wait`)
    this.#lines.set(account, line)
    line.count += 1
    const before = line.end
    let leave: () => void = () => undefined
    const own = new Promise<void>((resolve) => {
      leave = resolve
    })
    // Who leaves the line early does not let those behind it overtake those before.
    line.end = before.then(() => own)
    try {
      await this.#turn(before, account, endMs, signal)
      return await work()
    } finally {
      leave()
      line.count -= 1
      if (line.count === 0) this.#lines.delete(account)
    }
  }

  async #turn(before: Promise<void>, account: string, endMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const late = this.#clock
      .wait(Math.max(1, endMs - this.#clock.nowMs()), over.signal)
      .then(() => Promise.reject(busy(account, 'an earlier proposal of it is not final yet')))
    // Its end is of no interest once the turn has come.
    late.catch(() => undefined)
    try {
      await untilAborted(Promise.race([before, late]), signal)
    } finally {
      over.abort()
    }
  }
}

function busy(account: string, why: string): ClientError {
  return new ClientError('E_BUSY', `account ${account} proposes something else`, {
    why,
    fix: 'propose it again when that is final: nothing of it was sent',
  })
}
