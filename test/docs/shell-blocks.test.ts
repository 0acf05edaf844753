/** The convention by which README.md's blocks are run: what is a step, what an expectation, when one is met. */

import { describe, expect, it } from 'vitest'
import { firstUnmet, lineMatches, shellBlocks } from '../support/docs/shell-blocks.ts'

describe('shell blocks', () => {
  it('are those fenced as sh, with their expectations', () => {
    const text = [
      '# One',
      '```console',
      '$ not run',
      '```',
      '```sh first-terminal',
      'npm start',
      '# -> up',
      '```',
      '## Two',
      '```sh',
      'a \\',
      '  b',
      '# -> x',
      '# -> y',
      '# a comment',
      'c',
      '```',
    ].join('\n')
    expect(shellBlocks(text)).toEqual([
      {
        heading: 'One',
        line: 5,
        isFirstTerminal: true,
        steps: [{ commands: 'npm start', expected: ['up'] }],
      },
      {
        heading: 'Two',
        line: 10,
        isFirstTerminal: false,
        steps: [
          { commands: 'a \\\n  b', expected: ['x', 'y'] },
          { commands: '# a comment\nc', expected: [] },
        ],
      },
    ])
  })

  it('refuse an expectation without a command', () => {
    expect(() => shellBlocks('```sh\n# -> x\n```')).toThrow('without a command')
  })

  it.each([
    ['Valid', '  Valid ', true],
    ['Valid', 'Invalid', false],
    ['Valid', 'Valid: no', false],
    ['took … s (all)', 'took 1.5 s (all)', true],
    ['took … s', 'took 1.5 ms', false],
    ['a.c', 'abc', false],
  ])('%j and the line %j: %s', (expected, line, matches) => {
    expect(lineMatches(expected, line)).toBe(matches)
  })

  it('want expectations in order, each on a line of its own', () => {
    expect(firstUnmet(['a', 'b'], 'a\nother\nb\n')).toBeUndefined()
    expect(firstUnmet(['b', 'a'], 'a\nb\n')).toBe('a')
    expect(firstUnmet(['a', 'a'], 'a\n')).toBe('a')
    expect(firstUnmet([], '')).toBeUndefined()
  })
})
