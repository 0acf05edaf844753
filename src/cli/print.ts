/** What commands write to standard output: lines for a person, or JSON that keeps 64-bit integers exact. */

/** Writes one line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Writes one JSON document; a bigint becomes a number with all its digits. */
export function printJson(value: unknown): void {
  // rawJSON is in Node since 21 and in no ECMAScript library of the compiler yet.
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  print(
    JSON.stringify(
      value,
      (_key, item: unknown) => (typeof item === 'bigint' ? rawJSON(item.toString()) : item),
      2,
    ),
  )
}

/** Rows of text as columns, left-aligned, two spaces between; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '),
  )
}
