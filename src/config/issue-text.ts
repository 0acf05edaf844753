/** What the schema library has against a value, in the words of the rest: an operator need not know the library. */
import type { z } from 'zod'

/** Issues that are told at once; who sees so many has the wrong file. */
const ISSUES_TOLD = 3
/** How the library begins the texts that nobody here wrote. */
const OF_THE_LIBRARY = /^(?:Invalid|Too |Unrecognized)/

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' }

/** One complaint without its place: `expected at least 4`. */
export function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `there is no field ${issue.keys.join(', ')}`
  if (!OF_THE_LIBRARY.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type': {
      const got = / received (\w+)$/.exec(issue.message)?.[1] ?? 'something else'
      return got === 'undefined'
        ? `missing, expected ${issue.expected}`
        : `expected ${issue.expected}, got ${got}`
    }
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'too_small':
      return `expected at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
    case 'too_big':
      return `expected at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
    case 'invalid_format':
      return `expected the form of ${issue.format === 'datetime' ? '2026-01-31T12:00:00Z' : issue.format}`
    default:
      return issue.message
  }
}

/** Where a value stands: `validators[0].stake`; empty for the document itself. */
function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('')
}

/** The first complaints on one line, each with its place. */
export function issuesText({ issues }: Pick<z.core.$ZodError, 'issues'>): string {
  const told = issues.slice(0, ISSUES_TOLD).map((issue) => {
    const place = placeOf(issue.path)
    return place === '' ? issueText(issue) : `${place}: ${issueText(issue)}`
  })
  const more = issues.length - told.length
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}
