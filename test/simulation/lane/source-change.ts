/**
 * Changes to the text of a source file before it is run. The text that is looked for must be there exactly once: a
 * change that no longer fits its file is an error, never a silent nothing.
 */

export interface SourceChange {
  /** Path from the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** @throws Error when the text is not there exactly once */
export function changed(text: string, { file, find, replace }: SourceChange): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times, not once: ${find}`)
  return parts.join(replace)
}

/** All changes to one file, in order. */
export function changedBy(text: string, file: string, changes: readonly SourceChange[]): string {
  return changes.filter((change) => change.file === file).reduce(changed, text)
}
