// Adds to package-lock.json the optional packages of other platforms that npm left out because the registry it
// asked did not have them. Without an entry `npm ci` calls the lock file out of sync and installs nothing, on
// every platform. The entries carry the platform (so that npm passes them over elsewhere) and no hash, because
// there was nothing to hash. Run it after changing dependencies; it touches nothing that npm wrote.

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8'))

const OS = /\b(android|darwin|freebsd|linux|openbsd|openharmony|win32)\b/
const CPU = /\b(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)\b/

/** The platform that a package's name tells, in the form in which npm keeps it. */
function platformOf(name) {
  const os = OS.exec(name)?.[1]
  const cpu = CPU.exec(name)?.[1]
  if (os === undefined || cpu === undefined)
    throw new Error(`cannot tell the platform of ${name} by its name`)
  const libc = /musl/.test(name) ? 'musl' : /gnu|glibc/.test(name) ? 'glibc' : undefined
  return { os, cpu, libc }
}

for (const [at, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${at}/node_modules/${name}`
    const hoisted = `node_modules/${name}`
    if (lock.packages[nested] !== undefined || lock.packages[hoisted] !== undefined) continue
    const exact = /^\d/.test(version) ? version : version.replace(/^[^\d]+/, '')
    const { os, cpu, libc } = platformOf(name)
    lock.packages[hoisted] = {
      version: exact,
      cpu: [cpu],
      ...(entry.dev === true ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc: [libc] }),
      optional: true,
      os: [os],
    }
    process.stdout.write(`added ${name}@${exact}\n`)
  }
}
const [own, ...rest] = Object.entries(lock.packages)
lock.packages = Object.fromEntries([own, ...rest.sort(([a], [b]) => a.localeCompare(b, 'en'))])
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
