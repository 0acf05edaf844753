/** Which declared metrics nothing ever moves: by the handles' names in the sources, with no syntax tree. */

import { codeOnly, type SourceFile } from './source-file.ts'

/** Where the handles are declared; a mention there moves nothing. */
const CATALOGUE = 'src/observability/metrics.ts'

/** Handles by the section that they are in, as `createMetrics` gives them. */
export type MetricSections = Readonly<Record<string, Readonly<Record<string, object>>>>

/**
 * Handles have no reading side, so that whoever names one writes it: `section.handle` in the code of a file that
 * gets its handles from the catalogue.
 * @returns `section.handle` of each that is named nowhere
 */
export function unmovedMetrics(files: readonly SourceFile[], sections: MetricSections): string[] {
  const code = files
    .filter(({ path, text }) => path.startsWith('src/') && path !== CATALOGUE && text.includes('/metrics.ts'))
    .map(({ text }) => codeOnly(text))
    .join('\n')
  return Object.entries(sections).flatMap(([section, handles]) =>
    Object.keys(handles)
      .map((handle) => `${section}.${handle}`)
      .filter((name) => !new RegExp(`\\b${name.replace('.', '\\.')}\\b`).test(code)),
  )
}
