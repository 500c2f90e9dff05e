/** A command of a PVE look-alike as data: the parser, the usage text and completion read the same table. */

interface BaseOption {
  readonly description: string;
  /** Set for an option that PVE knows and this release refuses: what to do instead. */
  readonly refused?: string;
}

export type PveOption =
  | (BaseOption & { readonly type: 'boolean' })
  | (BaseOption & { readonly type: 'integer'; readonly minimum: number; readonly maximum?: number })
  | (BaseOption & { readonly type: 'string'; readonly values?: readonly string[] });

export interface PveCommand {
  readonly description: string;
  /** Names of the positional arguments in their order; all are required. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, PveOption>>;
}

/** What the parser found: booleans, numbers and text by the full name of the option. */
export interface PveValues {
  readonly positionals: Readonly<Record<string, string>>;
  readonly booleans: Readonly<Record<string, boolean>>;
  readonly integers: Readonly<Record<string, number>>;
  readonly strings: Readonly<Record<string, string>>;
}
