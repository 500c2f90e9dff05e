import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestKind } from '../../../src/domain/ownership.js';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import { guestVolumes, type GuestVolume } from '../../../src/schema/guest-config-volumes.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { guestNeeds } from '../../../src/schema/guest-needs.js';
import type { GuestNeeds } from '../../../src/domain/guest-needs.js';
import type { GuestConfigs } from '../guests/guest-configs.js';

/** What presence says of a guest that depends on its config alone. */
export interface ConfigFacts {
  readonly name: string | null;
  readonly memoryBytes: number;
  readonly cores: number;
  readonly onboot: boolean;
  readonly lock: string | null;
  /** Those that lie on a storage and move with it. */
  readonly volumes: readonly { readonly id: string; readonly storage: string }[];
  readonly media: readonly string[];
  readonly bridges: readonly string[];
  readonly hostCpu: boolean;
  /** Null: an alias or none, so that each node takes its newest. */
  readonly pinnedMachine: string | null;
  readonly localDevices: readonly string[];
}

/** A config is parsed once, not each second: again only when its file has changed. */
export class ConfigFactsCache {
  readonly #configs: GuestConfigs;
  readonly #known = new Map<Vmid, { readonly stamp: string; readonly facts: ConfigFacts | null }>();

  constructor(configs: GuestConfigs) {
    this.#configs = configs;
  }

  /** Null without a config that can be read: that of one guest must not keep the others from being told. */
  async of(vmid: Vmid, kind: GuestKind): Promise<ConfigFacts | null> {
    // Looked at before the text: what is written in between is found the next time, since the stamp is older than the text.
    const file = await this.#configs.stamp(vmid, kind);
    if (file === null) {
      this.#known.delete(vmid);
      return null;
    }
    const stamp = `${kind}:${file}`;
    const known = this.#known.get(vmid);
    if (known?.stamp === stamp) return known.facts;
    const facts = await this.#read(vmid, kind);
    this.#known.set(vmid, { stamp, facts });
    return facts;
  }

  async #read(vmid: Vmid, kind: GuestKind): Promise<ConfigFacts | null> {
    try {
      const text = await this.#configs.read(vmid, kind);
      return kind === 'lxc' ? containerFacts(text) : vmFacts(text);
    } catch (error) {
      if (error instanceof KedgeError) return null;
      throw error;
    }
  }
}

const MACHINE_ALIASES: readonly string[] = ['pc', 'q35'];

function vmFacts(text: string): ConfigFacts {
  const config = parseGuestConfig(text);
  const needs = guestNeeds({ kind: 'vm', config });
  const machine = needs.machine ?? null;
  return {
    name: config.name,
    memoryBytes: config.memoryMiB * 2 ** 20,
    cores: needs.cores,
    onboot: config.onboot,
    hostCpu: config.cpu.type === 'host',
    pinnedMachine: machine === null || MACHINE_ALIASES.includes(machine) ? null : machine,
    ...placeFacts(needs, guestVolumes('vm', config.text)),
  };
}

function containerFacts(text: string): ConfigFacts {
  const config = parseContainerConfig(text);
  return {
    name: config.hostname,
    memoryBytes: config.memoryMiB * 2 ** 20,
    cores: config.cores ?? 1,
    onboot: config.onboot,
    hostCpu: false,
    pinnedMachine: null,
    ...placeFacts(guestNeeds({ kind: 'ct', config }), guestVolumes('ct', config.text)),
  };
}

/** What binds it to places. Encrypted memory counts as a device: it can't be sent. */
function placeFacts(
  { lock, devices, encryption, nets }: GuestNeeds,
  volumes: readonly GuestVolume[],
): Pick<ConfigFacts, 'lock' | 'volumes' | 'media' | 'bridges' | 'localDevices'> {
  // The operator's word that all nodes have it: nothing to copy, nothing that is missing.
  const own = volumes.filter(({ shared }) => !shared);
  return {
    lock,
    volumes: own.flatMap(({ volume, storage, role }) => (storage === null || role === 'cdrom' ? [] : [{ id: volume, storage }])),
    media: [...new Set(own.flatMap(({ storage, role }) => (storage !== null && role === 'cdrom' ? [storage] : [])))],
    bridges: [...new Set(nets.flatMap(({ bridge }) => bridge ?? []))],
    localDevices: [
      ...devices.map(({ key }) => key),
      ...encryption,
      ...own.filter(({ storage }) => storage === null).flatMap(({ references }) => references[0]?.key ?? []),
    ],
  };
}
