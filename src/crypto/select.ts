/**
 * Picks the implementation: the runtime's own where `node:crypto` has the algorithm (Node 24.7 and later),
 * noble's elsewhere. Nothing else decides this, and no option does.
 */

import type { MlDsa65 } from './ml-dsa.ts'
import { nativeMlDsa65 } from './ml-dsa-native.ts'
import { nobleMlDsa65 } from './ml-dsa-noble.ts'
import type { MlKem768 } from './ml-kem.ts'
import { nativeMlKem768 } from './ml-kem-native.ts'
import { nobleMlKem768 } from './ml-kem-noble.ts'

/** ML-DSA-65 for this runtime. */
export function selectMlDsa65(): MlDsa65 {
  return nativeMlDsa65() ?? nobleMlDsa65
}

/** ML-KEM-768 for this runtime. */
export function selectMlKem768(): MlKem768 {
  return nativeMlKem768() ?? nobleMlKem768
}
