/**
 * A terminal as a person has one: one shell that stays, commands typed one after the other, background processes
 * that live on. Everything in it is one process group, so that it can be ended by its id and nothing else is.
 */

import { type ChildProcess, spawn } from 'node:child_process'

/** What one command line did. */
export interface Done {
  /** Both streams. */
  readonly output: string
  readonly exitCode: number
}

const MARK = '__the_end_of_a_step__'

export class Terminal {
  readonly #shell: ChildProcess
  readonly #ended: Promise<void>
  #output = ''
  #isOver = false
  #wake: () => void = () => {}

  /** @param folder to be in */
  constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd: folder,
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    const take = (chunk: string): void => {
      this.#output += chunk
      this.#wake()
    }
    for (const stream of [this.#shell.stdout, this.#shell.stderr])
      stream?.setEncoding('utf8').on('data', take)
    this.#shell.stdin?.on('error', () => undefined)
    this.#shell.stdin?.write('exec 2>&1\n')
    this.#ended = new Promise((resolve) => {
      this.#shell.once('exit', () => {
        this.#isOver = true
        this.#wake()
        resolve()
      })
    })
  }

  /** Types commands and waits until the last of them is done. */
  async run(commands: string, deadlineMs: number): Promise<Done> {
    this.#output = ''
    this.#shell.stdin?.write(`${commands}\necho "${MARK} $?"\n`)
    const pattern = new RegExp(`^([^]*?)${MARK} (\\d+)\n`)
    const [, output = '', exitCode = ''] = await this.#match(pattern, deadlineMs, commands)
    return { output, exitCode: Number(exitCode) }
  }

  /** Types a command that does not end, and waits until its output is as wanted. */
  async runOn(command: string, holds: (output: string) => boolean, deadlineMs: number): Promise<void> {
    this.#output = ''
    this.#shell.stdin?.write(`${command}\n`)
    await this.#until(() => holds(this.#output), deadlineMs, command)
  }

  async #match(pattern: RegExp, deadlineMs: number, what: string): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null
    await this.#until(
      () => {
        match = pattern.exec(this.#output)
        return match !== null
      },
      deadlineMs,
      what,
    )
    if (match === null) throw new Error('unreachable: the wait ends with a match')
    return match
  }

  #until(holds: () => boolean, deadlineMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}: ${what}\n${this.#output}`))
      const deadline = setTimeout(() => fail(`not within ${deadlineMs} ms`), deadlineMs)
      this.#wake = () => {
        if (!holds() && !this.#isOver) return
        clearTimeout(deadline)
        this.#wake = () => {}
        if (holds()) resolve()
        else fail('the shell ended')
      }
      this.#wake()
    })
  }

  /** Ctrl+C: an interrupt for everything that runs here. */
  interrupt(): void {
    this.#signal('SIGINT')
  }

  /** Ends everything that was started here and waits for the shell. */
  async end(): Promise<void> {
    this.#signal('SIGKILL')
    await this.#ended
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#shell
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch (error) {
      // Everything is gone already.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
