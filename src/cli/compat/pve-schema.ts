/** A command of a PVE look-alike as data: the parser, the usage text and completion read the same table. */

interface BaseOption {
  readonly description: string;
  /** Set for an option that PVE knows and this release refuses: what to do instead. A boolean one may be given as false. */
  readonly refused?: string;
}

export type PveOption =
  | (BaseOption & { readonly type: 'boolean' })
  | (BaseOption & { readonly type: 'integer' | 'number'; readonly minimum: number; readonly maximum?: number })
  | (BaseOption & {
      readonly type: 'string';
      readonly values?: readonly string[];
      /** PVE's complaint about a value; null: it is fine. */
      readonly complain?: (value: string) => string | null;
    });

export interface PveCommand {
  readonly description: string;
  /** Names of the positional arguments in their order; all are required. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, PveOption>>;
}

/** The commands that both look-alikes have. */
export const PVE_VERBS = ['list', 'migrate', 'shutdown', 'start', 'status', 'stop'] as const;
export type PveVerb = (typeof PVE_VERBS)[number];

/** What the parser found: booleans, numbers and text by the full name of the option. */
export interface PveValues {
  readonly positionals: Readonly<Record<string, string>>;
  readonly booleans: Readonly<Record<string, boolean>>;
  /** Of integer and number options. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly strings: Readonly<Record<string, string>>;
}
