import { expect, test } from 'vitest'
import { Transcript } from '../../../src/session/transcript.ts'
import { PARTIES } from '../../support/session/handshake-pair.ts'

const utf8 = (text: string) => Buffer.from(text)

function digest(items: string[], parties = PARTIES): string {
  const transcript = new Transcript(parties)
  for (const item of items) transcript.add(utf8(item))
  return Buffer.from(transcript.digest()).toString('hex')
}

test('different lists of items, or parties, never hash alike', () => {
  const digests = [
    digest([]),
    digest(['']),
    digest(['', '']),
    digest(['ab']),
    digest(['a', 'b']),
    digest(['b', 'a']),
    digest(['a', 'b', '']),
    digest([], { ...PARTIES, genesisHash: Buffer.alloc(32, 8) }),
    digest([], {
      ...PARTIES,
      initiatorPeerId: PARTIES.responderPeerId,
      responderPeerId: PARTIES.initiatorPeerId,
    }),
    digest([], { ...PARTIES, initiatorPeerId: `${PARTIES.initiatorPeerId}1` }),
  ]
  expect(new Set(digests).size).toBe(digests.length)
})

test('a digest leaves the transcript as it was', () => {
  const transcript = new Transcript(PARTIES)
  transcript.add(utf8('a'))
  transcript.digest()
  transcript.add(utf8('b'))
  expect(Buffer.from(transcript.digest()).toString('hex')).toBe(digest(['a', 'b']))
})
