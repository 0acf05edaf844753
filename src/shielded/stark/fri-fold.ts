/** One round of FRI: eight values of a polynomial f(x) = Σ x^t f_t(x^8) become one of Σ β^t f_t. */
import { invert, multiply, power, powers, rootOfUnity } from '../field/koala-bear.ts'
import { addQuintic, multiplyQuintic, type Quintic, scale, subtractQuintic, ZERO } from '../field/quintic.ts'
import { DOMAIN_SHIFT, FOLD_BITS, type ProofShape } from './parameters.ts'

/** Values that are folded into one. */
export const FOLD = 2 ** FOLD_BITS

const HALF = invert(2)
/** ζ^-k for ζ of order eight. */
const ROOT_INVERSES = powers(invert(rootOfUnity(FOLD_BITS)), FOLD / 2)

/** The domain that a layer's values are on: shift * w^i. */
export interface LayerDomain {
  readonly bits: number
  readonly shift: number
}

/** Domain of the values that round `layer` folds. */
export function layerDomain(shape: ProofShape, layer: number): LayerDomain {
  return { bits: shape.domainBits - FOLD_BITS * layer, shift: power(DOMAIN_SHIFT, FOLD ** layer) }
}

/** 1 / x for the point at a place of a layer. */
export function inversePoint({ bits, shift }: LayerDomain, place: number): number {
  return invert(multiply(shift, power(rootOfUnity(bits), place)))
}

/**
 * Folds by two, three times: f(x) and f(-x) become even(x^2) + β odd(x^2).
 * @param values at x ζ^k for k from 0 to 7
 * @param inverse 1 / x
 */
export function fold(values: readonly Quintic[], inverse: number, challenge: Quintic): Quintic {
  let level = values
  let pointInverse = inverse
  let beta = challenge
  for (let step = 1; level.length > 1; step *= 2) {
    const half = level.length / 2
    const above: Quintic[] = []
    for (let k = 0; k < half; k++) {
      const a = level[k] as Quintic
      const b = level[k + half] as Quintic
      const even = scale(addQuintic(a, b), HALF)
      const factor = multiply(multiply(HALF, pointInverse), ROOT_INVERSES[k * step] as number)
      above.push(addQuintic(even, multiplyQuintic(beta, scale(subtractQuintic(a, b), factor))))
    }
    level = above
    pointInverse = multiply(pointInverse, pointInverse)
    beta = multiplyQuintic(beta, beta)
  }
  return level[0] as Quintic
}

/** The final polynomial at a point of the prime field. */
export function evaluateFinal(coefficients: readonly Quintic[], point: number): Quintic {
  let value = ZERO
  for (let i = coefficients.length - 1; i >= 0; i--) {
    value = addQuintic(scale(value, point), coefficients[i] as Quintic)
  }
  return value
}
