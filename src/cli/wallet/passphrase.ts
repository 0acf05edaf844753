/** Where a wallet's passphrase comes from: a file, the environment, or the person at the terminal. Never an option. */
import { passphraseFromEnvironment, WALLET_PASSPHRASE_VARIABLE } from '../../config/wallet-passphrase.ts'
import { CliError, usageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { readTextFile } from '../parse-options.ts'
import { askSecret } from './ask-secret.ts'

/** Of a new wallet: whoever copies the file can try passphrases at home. */
const CHARACTERS_MIN = 8
/** Of any: a file that holds more holds something else. */
const CHARACTERS_MAX = 1_024

export interface PassphraseOptions {
  readonly passphraseFile?: string
}

function checked(passphrase: string, source: string): string {
  if (passphrase !== '' && passphrase.length <= CHARACTERS_MAX) return passphrase
  throw usageError(
    `${source} holds no passphrase`,
    `give a line of 1 to ${CHARACTERS_MAX} characters; it ends with the line`,
  )
}

/** Undefined where only a person can tell. */
function givenPassphrase({ passphraseFile }: PassphraseOptions): string | undefined {
  if (passphraseFile !== undefined) {
    const [first = ''] = readTextFile(passphraseFile, 'passphrase file').split(/\r?\n/)
    return checked(first, passphraseFile)
  }
  const fromEnvironment = passphraseFromEnvironment()
  return fromEnvironment === undefined ? undefined : checked(fromEnvironment, WALLET_PASSPHRASE_VARIABLE)
}

async function ask(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw usageError(
      'nobody is here to type the passphrase of the wallet',
      `give it with --passphrase-file, or in the environment as ${WALLET_PASSPHRASE_VARIABLE}`,
    )
  }
  const answer = await askSecret(question)
  if (answer !== null) return answer
  throw new CliError('E_INTERRUPTED', 'no passphrase was given', {
    fix: 'try again',
    exitCode: EXIT.failure,
  })
}

/** The passphrase of a wallet that is there. @throws CliError `E_USAGE` (64), `E_FILE` (65), `E_INTERRUPTED` */
export async function openingPassphrase(options: PassphraseOptions): Promise<string> {
  return givenPassphrase(options) ?? (await ask('passphrase: '))
}

/**
 * The passphrase of a new wallet; asked for twice where a person types it.
 * @throws CliError as {@link openingPassphrase}; `E_USAGE` also for one that is short
 */
export async function newPassphrase(options: PassphraseOptions): Promise<string> {
  const given = givenPassphrase(options)
  const passphrase = given ?? (await ask('new passphrase: '))
  if (passphrase.length < CHARACTERS_MIN) {
    throw usageError(
      'the passphrase is too short',
      `take ${CHARACTERS_MIN} characters at least; several words that nobody guesses are better`,
    )
  }
  if (given === undefined && (await ask('once more: ')) !== passphrase) {
    throw usageError('the two passphrases differ', 'try again; nothing was made')
  }
  return passphrase
}
