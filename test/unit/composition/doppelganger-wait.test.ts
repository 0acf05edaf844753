/** When a validator may begin to sign, and how the place of its record is known. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DoppelgangerWait, doppelgangerSeen } from '../../../src/composition/doppelganger-wait.ts'
import { markMoved, markSignedHere, readSigningPlace } from '../../../src/composition/signing-place.ts'
import { StorageError } from '../../../src/storage/storage-error.ts'
import { asEpoch, asMonotonicMs, asView } from '../../../src/types/primitives.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('the wait', () => {
  function waiting(refuseUpToView = 0) {
    const world = { now: 1_000, isListening: true, isCatchingUp: false, finalView: 0 }
    const wait = new DoppelgangerWait({
      waitMs: 5_000,
      refuseUpToView: asView(refuseUpToView),
      now: () => asMonotonicMs(world.now),
      isListening: () => world.isListening,
      isCatchingUp: () => world.isCatchingUp,
      finalView: () => asView(world.finalView),
    })
    const pass = (ms: number): boolean => {
      world.now += ms
      return wait.tick()
    }
    return { world, wait, pass }
  }

  it('is over when it has listened long enough', () => {
    const { wait, pass } = waiting()
    expect(pass(4_900)).toBe(false)
    expect(wait.reason()).toBe(
      'does not sign yet, only follows: listens 0.1 s more whether its key is in use elsewhere',
    )
    expect(pass(100)).toBe(true)
    expect(wait.reason()).toBeNull()
  })

  it('does not count the time in which nobody could be heard', () => {
    const { world, wait, pass } = waiting()
    world.isListening = false
    expect(pass(60_000)).toBe(false)
    expect(wait.reason()).toContain('listens 5.0 s more')
    expect(wait.reason()).toContain('no peer is connected')
    world.isListening = true
    expect(pass(5_000)).toBe(true)
  })

  it('goes on while it catches up, and up to the mark of an import', () => {
    const { world, wait, pass } = waiting(70)
    world.isCatchingUp = true
    expect(pass(6_000)).toBe(false)
    expect(wait.reason()).toContain('catches up')
    world.isCatchingUp = false
    world.finalView = 69
    expect(pass(1)).toBe(false)
    expect(wait.reason()).toContain('forbids signing up to view 70, the final view is 69')
    world.finalView = 70
    expect(pass(1)).toBe(true)
  })

  it('ends with 77 when somebody is heard', () => {
    const error = doppelgangerSeen({ kind: 'prepare', epoch: asEpoch(0), view: asView(9) })
    expect(error).toMatchObject({ code: 'E_DOPPELGANGER', exitCode: 77 })
    expect(error.message).toContain('a prepare in view 9')
  })
})

describe('the place of a record', () => {
  const folder = (): string => {
    const made = join(temporaryDirectory(), 'safety')
    mkdirSync(made)
    return made
  }

  it('is nowhere at first, then here, and nowhere after an import', () => {
    const here = folder()
    expect(readSigningPlace(here)).toEqual({ isHere: false, refuseUpToView: 0 })
    markSignedHere(here, asView(4))
    expect(readSigningPlace(here)).toEqual({ isHere: true, refuseUpToView: 4 })
    expect(statSync(join(here, 'place.json')).mode & 0o777).toBe(0o600)
    markMoved(here, asView(9))
    expect(readSigningPlace(here)).toEqual({ isHere: false, refuseUpToView: 9 })
  })

  it('stays the same when the directory is renamed, and is another one in a copy or after a restore', () => {
    const here = folder()
    markSignedHere(here, asView(0))
    renameSync(here, `${here}-renamed`)
    expect(readSigningPlace(`${here}-renamed`).isHere).toBe(true)
    cpSync(`${here}-renamed`, here, { recursive: true, preserveTimestamps: true })
    expect(readSigningPlace(here).isHere).toBe(false)
    const backup = readFileSync(join(`${here}-renamed`, 'place.json'))
    rmSync(join(`${here}-renamed`, 'place.json'))
    writeFileSync(join(`${here}-renamed`, 'place.json'), backup)
    expect(readSigningPlace(`${here}-renamed`).isHere).toBe(false)
  })

  it('is not here after the machine has booted', () => {
    const here = folder()
    markSignedHere(here, asView(0))
    const path = join(here, 'place.json')
    const text = readFileSync(path, 'utf8')
    const { signed_from: place } = JSON.parse(text)
    // In place: the file stays the one that it is.
    writeFileSync(path, text.replace(place.boot, '00000000-0000-0000-0000-000000000000'))
    expect(readSigningPlace(here).isHere).toBe(false)
    writeFileSync(path, text)
    expect(readSigningPlace(here).isHere).toBe(true)
  })

  it.each(['', '{}', '{"format":1,"signed_from":null,"refuse_up_to_view":7}', '[1'])(
    'that cannot be read is refused: %s',
    (text) => {
      const here = folder()
      writeFileSync(join(here, 'place.json'), text)
      expect(() => readSigningPlace(here)).toThrow(StorageError)
      expect(() => readSigningPlace(here)).toThrow(
        expect.objectContaining({ code: 'E_SAFETY_PLACE', exitCode: 77 }),
      )
    },
  )
})
