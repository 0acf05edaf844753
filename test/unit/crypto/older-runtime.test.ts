/** Programs load this package on runtimes whose `node:crypto` knows no ML-KEM: a name that it lacks must keep nothing from loading. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** In the place of `node:crypto`, for every module that names it: what Node 20 has, as Node 20 would export it. */
function olderCrypto(): void {
  const crypto = process.getBuiltinModule('node:crypto')
  const { registerHooks } = process.getBuiltinModule('node:module')
  const missing = ['encapsulate', 'decapsulate', 'argon2', 'argon2Sync', 'default']
  const names = Object.keys(crypto).filter((name) => !missing.includes(name))
  const older: Record<string, unknown> = Object.fromEntries(
    names.map((name) => [name, crypto[name as keyof typeof crypto]]),
  )
  older['generateKeyPairSync'] = (type: string, options: never) => {
    if (type.startsWith('ml-')) throw new TypeError(`${type} is not a key type`)
    return crypto.generateKeyPairSync(type as 'ed25519', options)
  }
  Object.assign(globalThis, { older })
  const source = `export default older; export const { ${names.join(', ')} } = older`
  const url = `data:text/javascript,${encodeURIComponent(source)}`
  registerHooks({
    resolve: (name, context, next) =>
      name === 'node:crypto' ? { url, shortCircuit: true } : next(name, context),
  })
}

/** What a process prints that finds such a runtime, and then runs this. */
async function printedOnOlder(program: string): Promise<string> {
  const text = `(${olderCrypto})();${program}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], {
    cwd: root,
  })
  return stdout.trim()
}

const load = (path: string): string => `await import(${JSON.stringify(pathToFileURL(join(root, path)).href)})`

test('both post-quantum algorithms are the portable ones there', async () => {
  const printed = await printedOnOlder(
    `const { selectMlKem768, selectMlDsa65 } = ${load('src/crypto/select.ts')}
    console.log(selectMlKem768().name, selectMlDsa65().name)`,
  )
  expect(printed).toBe('noble noble')
})

test.each(['wallet/index.ts', 'client/index.ts', 'client/node/index.ts', 'receipt.ts'])(
  'src/%s, which programs import, loads there',
  async (entry) => {
    expect(await printedOnOlder(`${load(`src/${entry}`)}; console.log('loaded')`)).toBe('loaded')
  },
)
