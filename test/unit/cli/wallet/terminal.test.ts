/** What a person sees and types: secrets that do not show, a bar that moves on a terminal only, and lines of a wallet. */
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { askSecret } from '../../../../src/cli/wallet/ask-secret.ts'
import { barText, Progress } from '../../../../src/cli/wallet/progress.ts'
import { balanceLines, historyRows } from '../../../../src/cli/wallet.ts'
import { asHeight } from '../../../../src/types/primitives.ts'
import type { HistoryLine } from '../../../../src/wallet/index.ts'

function terminal(): { input: PassThrough; output: PassThrough; shown: () => string } {
  const output = new PassThrough()
  let shown = ''
  output.on('data', (part) => {
    shown += part
  })
  return { input: new PassThrough(), output, shown: () => shown }
}

describe('a secret', () => {
  it('is read to the end of its line, and not shown', async () => {
    const { input, output, shown } = terminal()
    const answer = askSecret('passphrase: ', { input, output })
    input.write('horsx\x7fe staple\r')
    expect(await answer).toBe('horse staple')
    expect(shown()).toBe('passphrase: \n')
  })

  it.each([
    ['Ctrl+C', '\x03'],
    ['Ctrl+D', '\x04'],
  ])('is not given by %s', async (_what, key) => {
    const { input, output } = terminal()
    const answer = askSecret('passphrase: ', { input, output })
    input.write(key)
    expect(await answer).toBeNull()
  })

  it('is not given when the input ends', async () => {
    const { input, output } = terminal()
    const answer = askSecret('passphrase: ', { input, output })
    input.end()
    expect(await answer).toBeNull()
  })
})

describe('progress', () => {
  it.each([
    [0, 8, '[........................]   0 %  0 of 8'],
    [4, 8, '[############............]  50 %  4 of 8'],
    [8, 8, '[########################] 100 %  8 of 8'],
    [0, 0, '[########################] 100 %  0 of 0'],
  ])('of %i of %i is a bar', (done, total, text) => {
    expect(barText(done, total)).toBe(text)
  })

  it('is one line on a terminal, that goes away', () => {
    vi.useFakeTimers()
    try {
      let shown = ''
      const progress = new Progress({ isTTY: true, write: (text) => (shown += text) })
      progress.bar('reading', 1, 2)
      expect(stripVTControlCharacters(shown)).toContain('reading [####')
      progress.busy('proving')
      vi.advanceTimersByTime(1_000)
      expect(stripVTControlCharacters(shown)).toContain('proving 1.0 s')
      progress.done()
      expect(shown.endsWith('\r\u001b[2K')).toBe(true)
      const before = shown
      vi.advanceTimersByTime(1_000)
      expect(shown).toBe(before)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is nothing elsewhere', () => {
    const write = vi.fn()
    const progress = new Progress({ write })
    progress.bar('reading', 1, 2)
    progress.busy('proving')
    progress.done()
    expect(write).not.toHaveBeenCalled()
  })
})

describe('lines of a wallet', () => {
  it('tell what is on its way only when something is', () => {
    const cursor = { entries: 3, height: asHeight(9) }
    const read = 'read up to height 9, 3 shielded transactions'
    expect(
      balanceLines({ balance: { spendable: 5n, held: 0n, expected: 0n }, cursor, isConfirmed: true }),
    ).toEqual(['spendable  5', read])
    const unread = { balance: { spendable: 5n, held: 0n, expected: 0n }, cursor, isConfirmed: false }
    expect(balanceLines(unread).at(-1)).toMatch(/^not read to its end/)
    expect(
      balanceLines({ balance: { spendable: 5n, held: 7n, expected: 6n }, cursor, isConfirmed: true }),
    ).toEqual([
      'spendable  5',
      'held       7, by transactions on their way',
      'expected   6, when those are final',
      read,
    ])
  })

  it('tell what happened', () => {
    const line: HistoryLine = {
      kind: 'received',
      amount: 5n,
      fee: 0n,
      to: null,
      from: null,
      state: 'final',
      height: asHeight(0),
      hash: null,
    }
    const hash = `${'ab'.repeat(31)}ff`
    expect(historyRows([])).toEqual(['nothing happened yet'])
    const rows = historyRows([
      line,
      {
        ...line,
        kind: 'send',
        to: `hm1${'x'.repeat(40)}yz1234`,
        fee: 2n,
        state: 'pending',
        height: null,
        hash,
      },
      { ...line, kind: 'merge', to: 'hm1abc', hash },
    ])
    expect(rows.map((row) => row.replace(/ {2,}/g, '|'))).toEqual([
      'height 0|received|5|genesis',
      'pending|send|5|fee 2|to hm1xxxxxxxx…yz1234|abababababa…ababff',
      'height 0|merge|5|abababababa…ababff',
    ])
  })
})
