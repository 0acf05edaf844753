/** Files that were named by mistake, and slips in the right one. */
import { expect, it } from 'vitest'
import { whyNotJson } from '../../../src/codec/json-text.ts'

function whyOf(text: string): string {
  try {
    JSON.parse(text)
  } catch (error) {
    return whyNotJson(text, error)
  }
  throw new Error('it is JSON')
}

it.each([
  ['nothing', ''],
  ['blank lines', ' \n\n'],
])('%s is empty', (_, text) => expect(whyOf(text)).toBe('it is empty'))

it.each([
  ['a program', '\u007fELF\u0002\u0001'],
  ['bytes that are no UTF-8', Buffer.from([0x89, 0x50, 0xff]).toString()],
])('%s is not text', (_, text) => expect(whyOf(text)).toBe('it is not text'))

it('a slip is told on one line, with its place', () => {
  const why = whyOf('{\n  "a": 1,\n}\n')
  expect(why).toMatch(/position|line/)
  expect(why).not.toContain('\n')
})
