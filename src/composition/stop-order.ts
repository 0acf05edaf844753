/** Closes what was opened, in reverse order, every part even when one fails. */
type Close = () => unknown

export class StopOrder {
  readonly #closes: { readonly what: string; readonly close: Close }[] = []
  #stopping: Promise<void> | null = null

  /** To be closed before everything that was opened earlier. */
  opened(what: string, close: Close): void {
    this.#closes.push({ what, close })
  }

  /** Closes all, once. @param failed told of each part that did not close cleanly */
  stop(failed: (what: string, error: unknown) => void): Promise<void> {
    this.#stopping ??= this.#run(failed)
    return this.#stopping
  }

  async #run(failed: (what: string, error: unknown) => void): Promise<void> {
    for (const { what, close } of this.#closes.toReversed()) {
      try {
        await close()
      } catch (error) {
        failed(what, error)
      }
    }
  }
}
