/** The few forms of Markdown that the reference documents are made of. */

/** Text in which angle brackets are no HTML, code aside. */
export function prose(text: string): string {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`')
}

/** A table. A bar in a cell would end it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => prose(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')),
  )
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const [first = [], ...rest] = cells
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n')
}

export function code(text: string): string {
  return `\`${text}\``
}

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``
}

/** Parts with an empty line between. */
export function document(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`
}

/** `1 MiB`, `64 KiB`, `3,317 B`: binary units where they are exact. */
export function bytes(count: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (count >= size && count % size === 0) return `${count / size} ${unit}`
  }
  return `${count.toLocaleString('en-US')} B`
}
