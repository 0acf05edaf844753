/** Asks a person for something secret on the terminal: what is typed is not shown, and goes nowhere else. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** A terminal, or a test's pipes. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

/** Where passwords are asked for: standard output may go into a file. */
export const TERMINAL: Terminal = { input: process.stdin, output: process.stderr }

/** What readline would show of what is typed. */
const nothing = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

/**
 * @param question with its blank at the end
 * @returns the line that was typed; null when the person pressed Ctrl+C or the input ended
 */
export function askSecret(question: string, { input, output }: Terminal = TERMINAL): Promise<string | null> {
  output.write(question)
  const lines = createInterface({ input, output: nothing(), terminal: true, historySize: 0 })
  return new Promise((resolve) => {
    let answer: string | null = null
    lines.once('line', (line) => {
      answer = line
      lines.close()
    })
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => {
      output.write('\n')
      resolve(answer)
    })
  })
}
