/** Exit codes that no row of the error table decides; the table's own are 1 failed, 2 usage, 3 refused, 4 timeout. */
export const EXIT_CODES = {
  ok: 0,
  /** Something is wrong, as `kedge audit` with leftovers. */
  failed: 1,
  usage: 2,
  /** Ctrl-C: the command let go, what it watched goes on. */
  interrupted: 130,
} as const;
