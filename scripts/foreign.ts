/**
 * `npm run test:foreign`: builds the Rust client of test/foreign/stoq-client, starts four validators, and lets it call
 * the first one over STOQ. Prints its JSON; exits 1 when anything was not as it should be. Needs cargo and crates.io,
 * and is no part of `npm test` for that reason.
 */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../test/support/cli/processes.ts'
import { LocalNetwork } from '../test/support/e2e/local-network.ts'
import { countOption, scriptCommand } from './script-command.ts'

const options = scriptCommand(
  'test:foreign',
  'Calls a validator over STOQ from a Rust client, and prints its JSON.',
)
  .option(
    '--idle-seconds <n>',
    'how long a connection says nothing before it is used again',
    countOption,
    150,
  )
  .option('--address <address>', 'where a node listens, in place of a network made for this')
  .parse()
  .opts<{ readonly idleSeconds: number; readonly address?: string }>()

const CRATE = join(import.meta.dirname, '..', 'test', 'foreign', 'stoq-client')
/** Outside the project: cargo fills it with a hundred megabytes. */
const TARGET = process.env['CARGO_TARGET_DIR'] ?? join(tmpdir(), 'hypermesh-foreign')

const build = spawnSync(
  'cargo',
  ['build', '--release', '--locked', '--manifest-path', join(CRATE, 'Cargo.toml')],
  {
    env: { ...process.env, CARGO_TARGET_DIR: TARGET },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)
if (build.error !== undefined || build.status !== 0) {
  const why = build.error?.message ?? `cargo ended with ${build.status}`
  process.stderr.write(`the Rust client was not built: ${why}\n  fix: install Rust (https://rustup.rs)\n`)
  process.exit(1)
}

async function callFrom(address: string): Promise<number> {
  const client = run([join(TARGET, 'release', 'stoq-client'), address, String(options.idleSeconds)])
  client.child.stderr?.pipe(process.stderr)
  const { code, stdout } = await client.ended
  process.stdout.write(stdout)
  return code ?? 1
}

if (options.address !== undefined) process.exit(await callFrom(options.address))
const network = await LocalNetwork.start()
let code = 1
try {
  code = await callFrom(`[::1]:${network.ports[0]?.stoq}`)
} finally {
  if (code === 0) await network.destroy()
  else {
    process.stderr.write(`the nodes' logs are in ${network.home}\n`)
    await network.end()
  }
}
process.exit(code)
