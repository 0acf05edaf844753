/** The annotated file: what it says is what holds, and configs/validator.toml is it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { annotatedConfig } from '../../../src/config/annotated.ts'
import { CONFIG_FIELDS } from '../../../src/config/fields.ts'
import { resolveConfig } from '../../../src/config/load.ts'

const plain = annotatedConfig(new Map([['schema', 1]]))
const load = (text: string) => resolveConfig({ file: { path: 'config.toml', text } })

it('is configs/validator.toml', () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'configs', 'validator.toml')
  expect(readFileSync(path, 'utf8')).toBe(plain)
})

it('changes nothing as it stands', () => {
  expect(load(plain).config).toEqual(resolveConfig({}).config)
})

it('shows the real defaults: with every line switched on, still nothing changes', () => {
  const { config, origins } = load(plain.replace(/^# ([a-z-]+ = )/gm, '$1'))
  expect(config).toEqual(resolveConfig({}).config)
  expect([...origins].filter(([, origin]) => origin !== 'file')).toEqual([])
})

it('explains every setting', () => {
  expect(CONFIG_FIELDS.filter(({ description }) => description.length < 10)).toEqual([])
})

it('holds the values it is given', () => {
  const values = new Map<string, unknown>([
    ['p2p.listen', ['/ip4/127.0.0.1/tcp/7']],
    ['ca.tls.cert', 'a "quoted" \\ path'],
    ['ca.tls.key', 'k'],
    ['p2p.max-peers', 9],
  ])
  const { config, origins } = load(annotatedConfig(values))
  expect(config.p2p.listen).toEqual(['/ip4/127.0.0.1/tcp/7'])
  expect(config.p2p.maxPeers).toBe(9)
  expect(config.ca.tls).toEqual({ cert: 'a "quoted" \\ path', key: 'k' })
  expect(
    [...origins]
      .filter(([, origin]) => origin === 'file')
      .map(([name]) => name)
      .sort(),
  ).toEqual([...values.keys()].sort())
})
