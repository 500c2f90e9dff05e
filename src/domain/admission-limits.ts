/**
 * How much admission may grant at a time. Three layers, a later one wins field by field: what Kedge does by itself, `limits` of kedge.yaml, and what
 * an operator has set live (docs/decisions/0016). In each, a node, a network or a storage may have a word of its own, which wins over the one
 * for all of its kind. Pure and plain JSON.
 */

/** For each node: moves that touch it, and of these those that come in and that go out. */
export const NODE_LIMITS = ['perNode', 'in', 'out'] as const;
/** For each network: moves whose copy it carries, and the bytes per second of them all, of which each gets an equal share. */
export const NETWORK_LIMITS = ['perNetwork', 'bandwidth'] as const;
/** For each storage: moves that write to it, or whose disks stay on it. */
export const STORAGE_LIMITS = ['perStorage'] as const;
export const LIMIT_NAMES = ['cluster', ...NODE_LIMITS, ...NETWORK_LIMITS, ...STORAGE_LIMITS] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** Null: no limit. Absent: as the layer below has it. */
type Settings<Name extends LimitName> = Readonly<Partial<Record<Name, number | null>>>;
export type OwnLimits = Settings<LimitName>;

/** The kinds of things that may have limits of their own, and which. */
export const OWN_LIMITS = { nodes: NODE_LIMITS, networks: NETWORK_LIMITS, storages: STORAGE_LIMITS } as const satisfies Record<string, readonly LimitName[]>;
export const LIMITED_KINDS = ['nodes', 'networks', 'storages'] as const satisfies readonly (keyof typeof OWN_LIMITS)[];
export type LimitedKind = (typeof LIMITED_KINDS)[number];

/** One layer. */
export interface LimitSettings extends OwnLimits {
  readonly nodes?: Readonly<Record<string, OwnLimits>>;
  readonly networks?: Readonly<Record<string, OwnLimits>>;
  readonly storages?: Readonly<Record<string, OwnLimits>>;
}

/** All layers together. These two are always there: an entity of an older Kedge goes on with them. */
export interface SlotLimits extends LimitSettings {
  /** Migrations at a time that touch one node, as source or as target. */
  readonly perNode: number;
  readonly cluster: number;
}
export const DEFAULT_SLOT_LIMITS: SlotLimits = { perNode: 2, cluster: 8 };

/** The layers, one over the other. */
export function layLimits(layers: readonly LimitSettings[]): SlotLimits {
  return layers.reduce<SlotLimits>((below, layer) => {
    const laid = mergeSettings(below, layer);
    return { ...laid, perNode: laid.perNode ?? below.perNode, cluster: laid.cluster ?? below.cluster };
  }, DEFAULT_SLOT_LIMITS);
}

/** `changes` over `settings`, field by field, also below the names of nodes, networks and storages. */
export function mergeSettings(settings: LimitSettings, changes: LimitSettings): LimitSettings {
  const merged: LimitSettings = { ...settings, ...changes };
  return LIMITED_KINDS.reduce<LimitSettings>((all, kind) => {
    const [below, over] = [settings[kind], changes[kind]];
    if (below === undefined || over === undefined) return all;
    const named = Object.entries(over).map(([name, own]): [string, OwnLimits] => [name, { ...below[name], ...own }]);
    return { ...all, [kind]: { ...below, ...Object.fromEntries(named) } };
  }, merged);
}

/** Do they say the same? The order of their fields doesn't matter. */
export function areSettingsEqual(one: LimitSettings, other: LimitSettings): boolean {
  return JSON.stringify(rowsOf(one)) === JSON.stringify(rowsOf(other));
}

/** One word of a layer; `of` null: for all of its kind. */
export interface LimitRow {
  readonly limit: LimitName;
  readonly of: string | null;
  readonly value: number | null;
}

/** All that a layer says, in the order of LIMIT_NAMES, and by name below. */
export function rowsOf(settings: LimitSettings): readonly LimitRow[] {
  return LIMIT_NAMES.flatMap((limit) => {
    const row = (own: OwnLimits, of: string | null): readonly LimitRow[] => {
      const value = own[limit];
      return value === undefined ? [] : [{ limit, of, value }];
    };
    const kind = LIMITED_KINDS.find((each) => OWN_LIMITS[each].some((name) => name === limit));
    const named = kind === undefined ? [] : Object.entries(settings[kind] ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
    return [...row(settings, null), ...named.flatMap(([name, own]) => row(own, name))];
  });
}

/** The limit that holds for the node, network or storage `of`: its own, else the one for all. Null: none. */
export function limitOf(limits: LimitSettings, kind: LimitedKind, { limit, of }: { limit: LimitName; of: string }): number | null {
  const own = limits[kind]?.[of]?.[limit];
  return own === undefined ? (limits[limit] ?? null) : own;
}

const MOST_SLOTS = 10_000;
/** Bytes per second: a stream with less would not get anywhere. Neither a network's total nor an equal share of it is smaller. */
export const LEAST_BANDWIDTH = 1_000_000;
const MOST_BANDWIDTH = 1_000_000_000_000;

/** What a limit must be; `own`: of one by name. */
export function limitRule(
  limit: LimitName,
  { own }: { own: boolean },
): { readonly least: number; readonly most: number; readonly none: boolean; readonly must: string } {
  const bandwidth = limit === 'bandwidth';
  const [least, most] = bandwidth ? [LEAST_BANDWIDTH, MOST_BANDWIDTH] : [0, MOST_SLOTS];
  const none = own || (limit !== 'cluster' && limit !== 'perNode');
  return { least, most, none, must: `a whole number ${bandwidth ? 'of bytes per second ' : ''}from ${least} to ${most}${none ? ', or none' : ''}` };
}

/** Is it a value that this limit may have? `none` is null here. */
export function isLimit(value: unknown, limit: LimitName, where: { own: boolean }): value is number | null {
  const { least, most, none } = limitRule(limit, where);
  return value === null ? none : typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
}
