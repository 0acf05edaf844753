/** What the package manifest, the lock file and the installed tree must satisfy. Reads; never installs. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The parts of package.json that are judged. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly allowScripts?: Readonly<Record<string, boolean>>
}

/** The parts of package-lock.json that are judged. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>
}

interface LockEntry {
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Dependencies that are not pinned to one version. */
export function rangeViolations(manifest: Manifest): string[] {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
  return Object.entries(all)
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} is not pinned: ${version}`)
}

/** Packages in the lock with an install script that package.json has not recorded a decision about. */
export function lockScriptViolations(manifest: Manifest, lock: Lock): string[] {
  return Object.entries(lock.packages)
    .filter(([, entry]) => entry.hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
    .filter((name) => manifest.allowScripts?.[name] === undefined)
    .map((name) => `${name} has an install script and package.json records nothing about it`)
}

/**
 * Optional packages (other platforms' binaries) that the lock names but does not hold. npm drops them silently
 * when a registry lacks them, and then `npm ci` installs nothing anywhere.
 */
export function lockGaps(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([at, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter(
        (name) =>
          !(`${at}/node_modules/${name}` in lock.packages) && !(`node_modules/${name}` in lock.packages),
      )
      .map((name) => `${name} is missing from package-lock.json: node scripts/complete-lock.mjs`),
  )
}

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall']

/** Folders of installed packages, at every depth. */
function installedPackages(modules: string): string[] {
  if (!existsSync(modules)) return []
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap((entry) => {
      const folder = join(modules, entry.name)
      return entry.name.startsWith('@') ? readdirSync(folder).map((name) => join(folder, name)) : [folder]
    })
    .flatMap((folder) => [folder, ...installedPackages(join(folder, 'node_modules'))])
}

/** The same as {@link lockScriptViolations}, by what really lies in node_modules (a lock can be edited). */
export function installedScriptViolations(manifest: Manifest, modules: string): string[] {
  return installedPackages(modules).flatMap((folder) => {
    const path = join(folder, 'package.json')
    if (!existsSync(path)) return []
    const { name, scripts } = JSON.parse(readFileSync(path, 'utf8')) as {
      name: string
      scripts?: Record<string, string>
    }
    // npm builds a package with a binding.gyp even when it names no script.
    const runs =
      INSTALL_SCRIPTS.some((script) => scripts?.[script] !== undefined) ||
      existsSync(join(folder, 'binding.gyp'))
    return runs && manifest.allowScripts?.[name] === undefined ? [`${name} runs a script when installed`] : []
  })
}
