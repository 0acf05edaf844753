/** docs/reference/config.md: every setting of the schema, with its names and its default. */

import { type Field, SETTABLE_FIELDS } from '../../src/config/fields.ts'
import { code, document, table } from './markdown.ts'

function row({ name, environmentName, defaultValue, description }: Field): string[] {
  return [code(name), code(JSON.stringify(defaultValue)), description, code(environmentName)]
}

export function configDocument(): string {
  const sections = [...new Set(SETTABLE_FIELDS.map(({ keys }) => keys[0] ?? ''))]
  return document([
    '# Configuration',
    'What an operator may choose. A flag goes before the environment, the environment before `config.toml` in the data\n' +
      'directory, the file before the default: `--p2p.max-peers 64` is `HYPERMESH_P2P__MAX_PEERS=64` is `max-peers = 64`\n' +
      'under `[p2p]`. Lists are comma-separated in a flag and in the environment. An unknown name or a wrong value stops\n' +
      'the node with exit code 78 and names what was probably meant; of the environment only names that begin with\n' +
      '`HYPERMESH_` and have two underscores are read. `init` and `testnet init` write the file with every\n' +
      'setting explained; [configs/validator.toml](../../configs/validator.toml) is that file with nothing set.',
    'What must be equal on all nodes (validators, stakes, timings, size of a block, policy of the four proofs) is not here\n' +
      'but in the genesis file, whose hash names the network.',
    ...sections.flatMap((section) => [
      `## ${section}`,
      table(
        ['setting', 'default', 'meaning', 'environment'],
        SETTABLE_FIELDS.filter(({ keys }) => keys[0] === section).map(row),
      ),
    ]),
  ])
}
