/** What differs between the config files of VMs and containers, before any key gets a meaning. */

/** Kind of a `[name]` section; `unknown` ones are kept line by line. */
export type SectionKind = 'pending' | 'special' | 'snapshot' | 'unknown';

export interface ConfigDialect {
  /** For messages. */
  readonly what: 'guest config' | 'container config';
  /** A whole key. */
  readonly key: RegExp;
  /** Lines of another program that are kept in their order and may repeat: groups `key` and `value`. */
  readonly rawLine?: RegExp;
  /** The kind of a section and its name as PVE writes it; undefined: PVE can't read such a header. */
  readonly section: (name: string) => { readonly kind: SectionKind; readonly name: string } | undefined;
}

const SNAPSHOT = /^[a-z][a-z0-9_-]+$/i;

/** `qemu-server/<vmid>.conf`. */
export const VM_DIALECT: ConfigDialect = {
  what: 'guest config',
  key: /^[a-z][a-z_-]*\d*$/,
  section(name) {
    if (/^pending$/i.test(name)) return { kind: 'pending', name: 'PENDING' };
    if (/^special:(?:cloudinit|fleecing)$/i.test(name)) return { kind: 'special', name: name.toLowerCase() };
    return { kind: SNAPSHOT.test(name) ? 'snapshot' : 'unknown', name };
  },
};

/** `lxc/<vmid>.conf`. */
export const CONTAINER_DIALECT: ConfigDialect = {
  what: 'container config',
  key: /^[a-z][a-z_]*\d*$/,
  rawLine: /^(?<key>lxc\.[a-z0-9_.-]+)(?::|[ \t]*=)[ \t]*(?<value>.*)$/,
  section(name) {
    if (/^pve:pending$/i.test(name)) return { kind: 'pending', name: 'pve:pending' };
    return SNAPSHOT.test(name) ? { kind: 'snapshot', name } : undefined;
  },
};
