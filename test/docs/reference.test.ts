/** docs/reference is what the code says now, leaves nothing out, and no link in any document leads nowhere. */

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codesInSources, errorPlaces } from '../../scripts/docs/errors.ts'
import { exitCodeOf } from '../../scripts/docs/exit-code-of.ts'
import { type Listener, ROUTES, type Route } from '../../scripts/docs/http.ts'
import { referenceDocuments } from '../../scripts/docs/reference.ts'
import { entriesOf, listAt, textOf } from '../../scripts/docs/source-text.ts'
import { HTTP_ROUTES } from '../../src/observability/metrics.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import type { ApiPorts } from '../../src/rpc/http/api-ports.ts'
import { makeApiServer } from '../../src/rpc/http/api-server.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import { EventLog } from '../../src/rpc/http/event-log.ts'
import { EventStreams } from '../../src/rpc/http/event-streams.ts'
import type { HttpListener } from '../../src/rpc/http/listener.ts'
import { makeMetricsServer } from '../../src/rpc/http/metrics-server.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from '../support/fake-network.ts'

const root = join(import.meta.dirname, '..', '..')
/** As ca-server.ts writes two routes in one. */
const KIND = '\x24{kind}'

describe('docs/reference', async () => {
  const documents = await referenceDocuments(root)

  it.each([...documents])('%s is current', (name, text) => {
    const file = join(root, 'docs', 'reference', name)
    const written = existsSync(file) ? readFileSync(file, 'utf8') : ''
    expect(written === text, `docs/reference/${name} is out of date: run "npm run docs" and commit it`).toBe(
      true,
    )
  })

  it('has every error code that is in the sources, with what it says', () => {
    const places = errorPlaces(root)
    expect([...places.keys()]).toEqual(codesInSources(root))
    expect(places.get('E_DATA_DIR_IN_USE')).toEqual([
      {
        code: 'E_DATA_DIR_IN_USE',
        what: '‹path› is in use by …',
        why: 'two nodes on one data directory would sign with one key',
        fix: 'stop the other node, or choose another directory with --data',
        result: 'exit 73',
      },
    ])
    expect(places.get('E_PORT_IN_USE')?.map(({ result }) => result)).toEqual([
      'exit 69',
      'exit 69',
      'exit 69',
      'exit 69',
    ])
    expect(places.get('E_KEY_MISSING')?.[0]?.result).toBe('exit 77')
    expect(places.get('E_NO_BLOCK')?.[0]?.result).toBe('HTTP 404')
    expect(places.get('E_NO_RECEIPT')?.map(({ result }) => result)).toEqual(['exit 69 / 1', 'exit 65'])
    for (const { result } of [...places.values()].flat())
      expect(result).toMatch(/^(exit \d+( \/ \d+)*|HTTP .+)$/)
  })
})

describe('the routes in docs/reference/http.md', () => {
  const limiter = new ClientLimiter(() => performance.now())
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const options = { listen: { host: '127.0.0.1', port: 0 }, tls: null, limiter, logger }
  // Whether a route is there is asked, not what it answers: that these have no node behind them is its affair.
  const nothing = {} as unknown
  const service = new ValidationService({
    ...new FakeNetwork(),
    clock: new FakeClock(),
    nodeName: 'n',
    version: '1',
  })
  const events = new EventStreams({ log: new EventLog('x') })
  const listeners: Readonly<Record<Listener, HttpListener>> = {
    ca: makeCaServer(service, options, events),
    api: makeApiServer(nothing as ApiPorts, options, events),
    metrics: makeMetricsServer({ metrics: async () => '', readiness: () => [] }, options),
  }
  beforeAll(() => Promise.all(Object.values(listeners).map((listener) => listener.start())))
  afterAll(() => Promise.all(Object.values(listeners).map((listener) => listener.close())))

  const isThere = async (listener: Listener, path: string, { method }: Route): Promise<boolean> => {
    const response = await fetch(`${listeners[listener].url}${path.replace(/:\w+/, '1')}`, { method })
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
      await response.body?.cancel()
      return true
    }
    return !/E_NO_ROUTE|ROUTE_NOT_FOUND/.test(await response.text())
  }

  it.each(Object.entries(ROUTES))('%s is where it says, and only there', async (path, route) => {
    for (const listener of Object.keys(listeners) as Listener[]) {
      expect(await isThere(listener, path, route), listener).toBe(route.listeners.includes(listener))
    }
  })

  it('are all that the sources add', () => {
    const files = globSync('src/rpc/http/*.ts', { cwd: root })
    const added = files.flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8')
      return [...source.matchAll(/app\.(?:get|post|put|delete|all|route)\b[^(]*\(\s*['`]([^'`]+)/g)]
    })
    const paths = added.flatMap(([, path = '']) =>
      path.includes(KIND) ? ['certificate', 'four-proof'].map((kind) => path.replace(KIND, kind)) : [path],
    )
    expect(new Set(paths)).toEqual(new Set(HTTP_ROUTES.filter((route) => route !== 'other')))
  })
})

describe('the documents', () => {
  const files = [
    'README.md',
    ...globSync(['docs/**/*.md', 'src/**/README.md', 'examples/**/*.md'], { cwd: root }),
  ]

  it.each(files)('%s has no link that leads nowhere', (file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/^```[\s\S]*?^```/gm, '')
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#')
      if (/^https?:/.test(path)) return false
      const target = path === '' ? join(root, file) : join(root, dirname(file), path)
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).has(anchor))
    })
    expect(broken).toEqual([])
  })

  /** Anchors of a document's headings, as GitHub makes them. */
  function anchorsOf(file: string): Set<string> {
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(
      ([, heading = '']) => heading,
    )
    return new Set(
      headings.map((heading) =>
        heading
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      ),
    )
  }
})

describe('reading the sources', () => {
  it('takes lists and objects apart', () => {
    expect(listAt(`f('a, b', \`c \${g({ x: '}' }, 1)}\`, [1, 2])`, 1)).toEqual([
      "'a, b'",
      `\`c \${g({ x: '}' }, 1)}\``,
      '[1, 2]',
    ])
    expect(entriesOf("{ why, fix: a ? 'b' : 'c', exitCode: EXIT.data, ...(x ? {} : { cause }) }")).toEqual(
      new Map([
        ['why', 'why'],
        ['fix', "a ? 'b' : 'c'"],
        ['exitCode', 'EXIT.data'],
      ]),
    )
  })

  it.each([
    ["'it\\'s'", "it's"],
    [`\`a \${b.c} d \${e(f)} g\``, 'a ‹c› d … g'],
    [`x === 'y' ? 'one' : \`two \${three}\``, 'one / two ‹three›'],
    ["'one ' + 'two'", 'one two'],
    ["what ?? 'nothing'", 'nothing'],
    ['known', 'said before'],
    ['made(1)', 'made here'],
    ['unknown', ''],
  ])('says what %s says', (expression, text) => {
    const source = "const known = 'said before'\nfunction made(n) {\n  return 'made here'\n}\n"
    expect(textOf(expression, source, source.length)).toBe(text)
  })

  const constants = 'const EXIT_MADE_UP = 99\n'
  it.each([
    ['65', '65'],
    ['EXIT.network', '69'],
    ['STORAGE_EXIT.key', '77'],
    ['EXIT_MADE_UP', '99'],
    ["code === 'A_B?:C' ? EXIT.network : EXIT_MADE_UP", '69 / 99'],
    ['a?.b ?? c ? 1 : d ? EXIT.data : 73', '1 / 65 / 73'],
  ])('knows the exit code of %s', (expression, text) => {
    expect(exitCodeOf(expression, constants)).toBe(text)
  })

  it.each(['EXIT_ELSEWHERE', 'EXIT.nothing', 'error.exitCode', 'x ? 1 : EXIT_ELSEWHERE'])(
    'does not guess the exit code of %s',
    (expression) => {
      expect(() => exitCodeOf(expression, constants)).toThrow(/stands for no number/)
    },
  )
})
