/** Commands for developers take options as those of the node do: `--help` says which, and what they do not take ends them with 64. */
import { Command, Option } from 'commander'
import { EXIT } from '../src/cli/exit-codes.ts'
import { wholeNumber } from '../src/cli/parse-options.ts'

/** A parser for commander: any whole number. */
export const countOption = wholeNumber(0, Number.MAX_SAFE_INTEGER)

/** @param name as npm knows it: `bench` is `npm run bench` */
export function scriptCommand(name: string, description: string): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .helpOption('--help', 'print this')
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
}

/** What random choices come from, so that they can be made again. */
export function seedOption(description: string): Option {
  return new Option('--seed <n>', description)
    .argParser(countOption)
    .default(Date.now() % 1_000_000, 'from the clock; it is in the report')
}
