/** `npm run docs`: writes docs/reference from the code. test/docs/reference.test.ts fails when it was forgotten. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { referenceDocuments } from './docs/reference.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs', 'reference')
mkdirSync(folder, { recursive: true })
const documents = await referenceDocuments(root)
for (const [name, text] of documents) writeFileSync(join(folder, name), text)
process.stdout.write(`wrote ${[...documents.keys()].join(', ')} to docs/reference\n`)
