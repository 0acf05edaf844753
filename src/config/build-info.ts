/** What runs here: the package's version and, in a checkout, the commit it was built from. */
import { readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string }

/** The commit that HEAD names; `unknown` outside a checkout, as in an image. */
function commitOf(root: URL): string {
  try {
    const head = readFileSync(new URL('.git/HEAD', root), 'utf8').trim()
    const reference = /^ref: (\S+)$/.exec(head)?.[1]
    return reference === undefined ? head : readFileSync(new URL(`.git/${reference}`, root), 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

export const BUILD = { version: manifest.version, commit: commitOf(ROOT) }
