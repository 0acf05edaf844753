/** Why a text is no JSON, for a person who may have named the wrong file. Reads nothing. */

/** Control characters and what stands for bytes that are no UTF-8: nobody writes those. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const NO_TEXT = /[\u0000-\u0008\u000e-\u001f\ufffd]/

/** @param error as `JSON.parse` threw it over this text */
export function whyNotJson(text: string, error: unknown): string {
  if (text.trim() === '') return 'it is empty'
  if (NO_TEXT.test(text)) return 'it is not text'
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ')
}
