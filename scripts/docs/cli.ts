/** docs/reference/cli.md: the help of every command, and the exit codes with what they mean. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { code, document, fenced, table } from './markdown.ts'

/** Stands for the home directory of whoever reads. */
const HOME = '/home/you'
const WIDTH = 110

/** What `--help` prints, as on a terminal of a fixed width. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    getOutHelpWidth: () => WIDTH,
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  return text.replaceAll(HOME, '~')
}

/** A command and those below it, with their whole names. */
function tree(command: Command, parents: readonly string[]): { name: string; command: Command }[] {
  const path = [...parents, command.name()]
  return [{ name: path.join(' '), command }, ...command.commands.flatMap((child) => tree(child, path))]
}

/** Exit codes with the comments that stand over them in the table of the program. */
export function exitCodes(root: string): [number: string, meaning: string][] {
  const source = readFileSync(join(root, 'src', 'cli', 'exit-codes.ts'), 'utf8')
  return [...source.matchAll(/\/\*\* (.+?) \*\/\n {2}\w+: (\d+),/g)].map(([, meaning = '', number = '']) => [
    number,
    meaning,
  ])
}

export async function cliDocument(root: string): Promise<string> {
  // Before the commands are loaded: defaults that depend on the home directory stand in the help.
  process.env['XDG_DATA_HOME'] = `${HOME}/.local/share`
  const { buildProgram } = await import('../../src/cli/program.ts')
  const commands = tree(await buildProgram(), [])
  return document([
    '# Commands',
    'As `--help` prints them. Write `node dist/node.js` for `hypermesh` in a clone of the repository. Commands that ' +
      'print data\ntake `--json`; all take `--debug`, which adds stacks to errors.',
    ...commands.flatMap(({ name, command }) => [`## ${name}`, fenced('text', helpOf(command))]),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      [
        ...exitCodes(root).map(([number, meaning]) => [code(number), meaning]),
        ['`130`, `143`', 'A second SIGINT or SIGTERM ended it at once.'],
      ],
    ),
  ])
}
