// What `devnet` needs of a validator and no more: answers GET /v1/status on its API port, its height grows, and
// the height outlives the process. Arguments: folder, API port, milliseconds per height.

import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const [folder = '', port = '', everyMs = '50'] = process.argv.slice(2)
const file = join(folder, 'height')

function readHeight() {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
}

let height = readHeight()
setInterval(() => {
  height++
  writeFileSync(file, String(height))
}, Number(everyMs))
createServer((_request, response) => {
  const status = { view: height + 1, final: { height }, ready: true, notReadyBecause: [] }
  response.setHeader('connection', 'close').end(JSON.stringify(status))
}).listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => {
  process.stdout.write('stopped in order\n')
  process.exit(0)
})
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
