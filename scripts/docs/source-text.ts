/**
 * Reads just enough of TypeScript to find a call's arguments and the text of a string expression. The compiler has
 * no library interface in its version 7, and the whole grammar is not needed: the sources are formatted by a tool.
 */

const OPENING = '([{'
const CLOSING = ')]}'
/** Begins what is filled in to a template. */
const FILLED_IN = '\x24{'

/** Index behind the string or template that begins at `start`. */
function endOfString(source: string, start: number): number {
  const quote = source[start]
  let i = start + 1
  while (i < source.length && source[i] !== quote) {
    if (source[i] === '\\') i += 2
    else if (quote === '`' && source.startsWith(FILLED_IN, i)) i = endOfGroup(source, i + 1)
    else i++
  }
  return i + 1
}

/** Index behind the bracket that closes the one at `start`. */
function endOfGroup(source: string, start: number): number {
  let depth = 0
  let i = start
  while (i < source.length) {
    const character = source[i] ?? ''
    if (`'"\``.includes(character)) {
      i = endOfString(source, i)
      continue
    }
    if (OPENING.includes(character)) depth++
    if (CLOSING.includes(character) && --depth === 0) return i + 1
    i++
  }
  return i
}

/** The parts of a bracketed list (a call's arguments, an object's entries); `start` is its opening bracket. */
export function listAt(source: string, start: number): string[] {
  const end = endOfGroup(source, start) - 1
  const parts: string[] = []
  let from = start + 1
  let i = from
  while (i < end) {
    const character = source[i] ?? ''
    if (`'"\``.includes(character)) i = endOfString(source, i)
    else if (OPENING.includes(character)) i = endOfGroup(source, i)
    else if (character === ',') {
      parts.push(source.slice(from, i).trim())
      from = ++i
    } else i++
  }
  parts.push(source.slice(from, end).trim())
  return parts.filter((part) => part !== '')
}

/** Entries of an object literal by key: `{ a, b: 1 }` has `a` for `a` and `1` for `b`. */
export function entriesOf(object: string): Map<string, string> {
  const pairs = listAt(object, 0).flatMap((entry): [string, string][] => {
    const match = /^(\w+)(?:\s*:\s*([\s\S]+))?$/.exec(entry)
    return match === null ? [] : [[match[1] ?? '', match[2] ?? match[1] ?? '']]
  })
  return new Map(pairs)
}

/** What stands for `${expression}` in a text: the last word of a plain name, else an ellipsis. */
function placeholder(expression: string): string {
  const name = /^(?:\w+\??\.)*(\w+)$/.exec(expression.trim())?.[1]
  return name === undefined ? '…' : `‹${name}›`
}

/** The text of one literal, with placeholders for what is filled in. */
function literalText(literal: string): string {
  const body = literal.slice(1, -1)
  let text = ''
  for (let i = 0; i < body.length; ) {
    if (literal[0] === '`' && body.startsWith(FILLED_IN, i)) {
      const end = endOfGroup(body, i + 1)
      text += placeholder(body.slice(i + 2, end - 1))
      i = end
    } else {
      if (body[i] === '\\') i++
      text += body[i++]
    }
  }
  return text
}

/** What an expression calls or names, looked up in its file: a constant's value or a function's first `return`. */
function definitionOf(name: string, source: string, before: number): string | undefined {
  const constants = [...source.slice(0, before).matchAll(new RegExp(`const ${name} =\\s*`, 'g'))]
  const last = constants.at(-1)
  if (last !== undefined) {
    const start = last.index + last[0].length
    return source.slice(
      start,
      start + source.slice(start).search(/\n\s*(?:const|return|throw|if|let|for)\b|\n\}/),
    )
  }
  const at = source.search(new RegExp(`function ${name}\\(`))
  if (at === -1) return undefined
  return /\breturn\s([\s\S]*?)\n\s*\}/.exec(source.slice(at))?.[1]
}

/**
 * What a string expression can say: literals with placeholders, the sides of a condition with ` / ` between. Names are followed one step within the file. Empty when only the running program knows.
 * @param before index in `source` at which the expression stands
 */
export function textOf(expression: string, source: string, before: number, mayFollow = true): string {
  const called = /^(\w+)(?:\(|$)/.exec(expression)?.[1]
  if (called !== undefined) {
    const definition = mayFollow ? definitionOf(called, source, before) : undefined
    return definition === undefined ? '' : textOf(definition.trim(), source, before, false)
  }
  const texts: string[] = []
  let isChoice = false
  for (let i = 0; i < expression.length; ) {
    const character = expression[i] ?? ''
    if (`'"\``.includes(character)) {
      const end = endOfString(expression, i)
      // A literal that is compared with is none that is said.
      if (!/[=!]==\s*$/.test(expression.slice(0, i))) texts.push(literalText(expression.slice(i, end)))
      i = end
    } else if (OPENING.includes(character)) {
      i = endOfGroup(expression, i)
    } else {
      if (
        character === '?' &&
        expression[i + 1] !== '.' &&
        expression[i + 1] !== '?' &&
        expression[i - 1] !== '?'
      )
        isChoice = true
      i++
    }
  }
  return texts.join(isChoice ? ' / ' : '')
}
