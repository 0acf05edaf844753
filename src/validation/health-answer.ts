/** The shape of the health answer, apart from the service that gives it: clients read it too, and need no service. */

/** The health call's answer; `reason` is there when the node cannot judge a new request now. */
export interface HealthAnswer {
  readonly status: 'healthy' | 'not-ready'
  readonly service: 'hypermesh-consensus'
  readonly version: string
  readonly reason: string | null
}
