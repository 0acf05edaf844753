/**
 * What this program's exit code means, in one table (sysexits.h where it has a number). A supervisor decides by
 * it whether to start the node again: configs/hypermesh.service lists those that only a person can mend.
 */

/** Exit codes by meaning. 130 and 143 (a second SIGINT or SIGTERM) are 128 + the signal's number. */
export const EXIT = {
  /** A clean stop. */
  ok: 0,
  /** A bug of ours, or a check that the command makes came out negative. */
  failure: 1,
  /** An unknown command or option, a value that does not parse. */
  usage: 64,
  /** Genesis, network or schema do not match, a file is malformed, the database is damaged. */
  data: 65,
  /** A port is taken, nobody answers. */
  network: 69,
  /** The data directory is in use or cannot be written. */
  dataDirectory: 73,
  /** A key is missing or does not match, or the record of what it signed is missing. Never restart on this. */
  key: 77,
  /** The configuration or the runtime must be changed first. */
  configuration: 78,
} as const
