/** Turns one JSON line of the log into one line for a person. Only the form changes; nothing is left out. */

import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const LEVEL_STYLES: Readonly<Record<string, Style>> = {
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
}

/** A value without quotes where that is unambiguous; else as JSON, so that nothing can break the line. */
function plainValue(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@+\-[\]]+$/.test(value)) return value
  return JSON.stringify(value) ?? String(value)
}

/**
 * @param line one JSON object as the logger writes it, with its newline
 * @param isColoured NO_COLOR and the terminal's abilities are still respected
 */
export function humanLine(line: string, isColoured: boolean): string {
  const paint = (style: Style, text: string): string => (isColoured ? styleText(style, text) : text)
  const { level, time, module, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  // The stack of a bug is for reading: it goes below the line, not into it.
  let stack = ''
  const shown = Object.entries(fields).map(([key, value]) => {
    if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') {
      stack = `\n    ${value.stack.replaceAll('\n', '\n    ')}`
      return `${key}=${plainValue((value as { message?: unknown }).message)}`
    }
    return `${paint('dim', `${key}=`)}${plainValue(value)}`
  })
  const at = new Date(String(time)).toLocaleTimeString('en-GB', { hour12: false })
  const ms = String(time).slice(20, 23)
  const name = String(level)
  const parts = [
    paint('dim', `${at}.${ms}`),
    paint(LEVEL_STYLES[name] ?? 'white', name.padEnd(5)),
    ...(module === undefined ? [] : [paint('cyan', String(module))]),
    String(msg),
    ...shown,
  ]
  return `${parts.join(' ')}${stack}\n`
}
