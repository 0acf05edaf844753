/**
 * The shell blocks of a Markdown text as something to run: commands, and after them the lines that they are to
 * print. Knows the convention of README.md and no shell.
 */

/** Commands that are run together, and what they are to print, in this order. */
export interface Step {
  readonly commands: string
  /** From the lines `# -> …`; `…` stands for any text within a line. */
  readonly expected: readonly string[]
}

export interface ShellBlock {
  /** Of the section it stands in. */
  readonly heading: string
  /** Line of the text at which it begins. */
  readonly line: number
  /** A process that goes on while the other blocks run. */
  readonly isFirstTerminal: boolean
  readonly steps: readonly Step[]
}

const EXPECTED = /^# -> (.+)$/

function stepsOf(lines: readonly string[]): Step[] {
  const steps: { commands: string[]; expected: string[] }[] = []
  for (const line of lines) {
    const expected = EXPECTED.exec(line)?.[1]
    const last = steps.at(-1)
    if (expected !== undefined) {
      if (last === undefined) throw new Error(`an expectation without a command: ${line}`)
      last.expected.push(expected)
    } else if (last === undefined || last.expected.length > 0) {
      steps.push({ commands: [line], expected: [] })
    } else {
      last.commands.push(line)
    }
  }
  return steps.map(({ commands, expected }) => ({ commands: commands.join('\n'), expected }))
}

/** Every block fenced as `sh`, in order. Blocks fenced otherwise (`console`, none) are for reading. */
export function shellBlocks(markdown: string): ShellBlock[] {
  const blocks: ShellBlock[] = []
  let heading = ''
  let open: { info: string; line: number; lines: string[] } | null = null
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (open === null) {
      heading = /^#{1,6} (.+)$/.exec(line)?.[1] ?? heading
      if (fence !== null) open = { info: fence[1] ?? '', line: index + 1, lines: [] }
    } else if (fence === null) {
      open.lines.push(line)
    } else {
      const [language, mark] = open.info.split(' ')
      if (language === 'sh') {
        const isFirstTerminal = mark === 'first-terminal'
        blocks.push({ heading, line: open.line, isFirstTerminal, steps: stepsOf(open.lines) })
      }
      open = null
    }
  }
  return blocks
}

/** Whether a line of output is what was expected, spaces at both ends aside. */
export function lineMatches(expected: string, line: string): boolean {
  const parts = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^\\s*${parts.join('.*')}\\s*$`).test(line)
}

/** The first expectation that no line fulfils after the lines of those before it; undefined when all hold. */
export function firstUnmet(expected: readonly string[], output: string): string | undefined {
  const lines = output.split('\n')
  let from = 0
  for (const expectation of expected) {
    const at = lines.findIndex((line, i) => i >= from && lineMatches(expectation, line))
    if (at === -1) return expectation
    from = at + 1
  }
  return undefined
}
