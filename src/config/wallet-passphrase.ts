/** The passphrase of a wallet from the environment, for scripts: only config/ reads it. */

/** Has no two underscores, as settings have: it is none. */
export const WALLET_PASSPHRASE_VARIABLE = 'HYPERMESH_WALLET_PASSPHRASE'

/** Undefined when it is not set, or empty. */
export function passphraseFromEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const passphrase = environment[WALLET_PASSPHRASE_VARIABLE]
  return passphrase === '' ? undefined : passphrase
}
