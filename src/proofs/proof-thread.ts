/**
 * One worker thread with what it has been given and not answered. When it dies, or says nothing for too long, it is
 * ended, and what it had is handed back. It never keeps the process alive.
 */
import { Worker } from 'node:worker_threads'
import type { ProofAnswer, ProofQuestion } from './proof-worker.ts'

/** Why a thread is no more. */
export type ThreadEnd = 'crashed' | 'hung'

export interface ProofThreadOptions<Job> {
  /** The file that the thread runs. */
  readonly entry: URL
  /** How long it may take for one answer, or to start: after that it hangs. */
  readonly silentMaxMs: number
  readonly statementOf: (job: Job) => ArrayBuffer
  readonly answered: (job: Job, isRight: boolean) => void
  /** Called once, and not after {@link ProofThread.stop}. @param unanswered what it had, in order */
  readonly ended: (end: ThreadEnd, unanswered: readonly Job[], detail: string) => void
}

/** The thread of this package: compiled it is a .js file beside this one, under the tests the source itself. */
export const PROOF_WORKER = new URL(
  `./proof-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
)

export class ProofThread<Job> {
  readonly #options: ProofThreadOptions<Job>
  readonly #worker: Worker
  readonly #given = new Map<number, Job>()
  #number = 0
  #silence: NodeJS.Timeout | undefined
  #isEnded = false

  constructor(options: ProofThreadOptions<Job>) {
    this.#options = options
    this.#worker = new Worker(options.entry)
    this.#worker.on('message', (answer: ProofAnswer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#end('crashed', String(error)))
    this.#worker.on('exit', (code) => this.#end('crashed', `exit code ${code}`))
    this.#worker.unref()
  }

  /** Jobs without an answer. */
  get load(): number {
    return this.#given.size
  }

  give(job: Job): void {
    this.#number++
    this.#given.set(this.#number, job)
    const statement = this.#options.statementOf(job)
    const question: ProofQuestion = { number: this.#number, statement }
    this.#worker.postMessage(question, [statement])
    if (this.#given.size === 1) this.#listen()
  }

  /** Ends the thread; what it has is forgotten. */
  async stop(): Promise<void> {
    this.#isEnded = true
    clearTimeout(this.#silence)
    this.#given.clear()
    await this.#worker.terminate()
  }

  #answered({ number, isRight }: ProofAnswer): void {
    const job = this.#given.get(number)
    if (job === undefined) return
    this.#given.delete(number)
    this.#listen()
    this.#options.answered(job, isRight)
  }

  /** From now on for the next answer, if there is one to come. */
  #listen(): void {
    clearTimeout(this.#silence)
    if (this.#given.size === 0) return
    const { silentMaxMs } = this.#options
    this.#silence = setTimeout(() => this.#end('hung', `no answer within ${silentMaxMs} ms`), silentMaxMs)
    this.#silence.unref()
  }

  #end(end: ThreadEnd, detail: string): void {
    if (this.#isEnded) return
    const unanswered = [...this.#given.values()]
    void this.stop()
    this.#options.ended(end, unanswered, detail)
  }
}
