import { KedgeError } from '../../domain/kedge-error.js';
import type { GuestConfig } from '../../schema/guest-config.js';
import type { Accelerator } from './accelerator.js';

/** A model that every x86-64 host and TCG can give: a guest with it may move anywhere. */
const DEFAULT_MODEL = 'kvm64';

/** PVE's models for the x86-64 levels: the level's flags on top of qemu64. */
const X86_64_LEVELS: Readonly<Record<string, readonly string[]>> = {
  'x86-64-v2': ['+pni', '+popcnt', '+sse4.1', '+sse4.2', '+ssse3'],
  'x86-64-v2-AES': ['+aes', '+pni', '+popcnt', '+sse4.1', '+sse4.2', '+ssse3'],
};

/**
 * The value of QEMU's `-cpu`: the running guest's own when known, else the config's model and flags. Never the host's CPU
 * unless the config asks for it by name.
 * @throws KedgeError `unsupported` for `host` without KVM
 */
export function cpuArgument(config: Pick<GuestConfig, 'cpu' | 'runningCpu'>, accelerator: Accelerator): string {
  if (config.runningCpu !== null) return config.runningCpu;
  const type = config.cpu.type ?? DEFAULT_MODEL;
  if (type === 'host' && accelerator !== 'kvm') {
    throw new KedgeError('unsupported', 'Cannot use CPU type host: this node has no working KVM, use a named model');
  }
  const level = Object.hasOwn(X86_64_LEVELS, type) ? X86_64_LEVELS[type] : undefined;
  // With KVM a flag that the host lacks ends the start; TCG only warns, and lacks some flags of many models.
  const enforce = accelerator === 'kvm' ? ['enforce'] : [];
  return [level === undefined ? type : 'qemu64', ...(level ?? []), ...config.cpu.flags, ...enforce].join(',');
}
