/** All reference documents by file name. What each one says is in its own file. */

import { cliDocument } from './cli.ts'
import { configDocument } from './config.ts'
import { errorsDocument } from './errors.ts'
import { httpDocument } from './http.ts'
import { metricsDocument } from './metrics.ts'
import { protocolsDocument } from './protocols.ts'

/** @param root of the repository */
export async function referenceDocuments(root: string): Promise<Map<string, string>> {
  return new Map([
    ['cli.md', await cliDocument(root)],
    ['config.md', configDocument()],
    ['errors.md', errorsDocument(root)],
    ['http.md', httpDocument(root)],
    ['metrics.md', await metricsDocument()],
    ['protocols.md', protocolsDocument()],
  ])
}
