import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How guests' code runs: by the CPU, or translated. Both ends of a migration need the same. */
export type Accelerator = 'kvm' | 'tcg';

const TRIAL_TIMEOUT_MS = 2_000;
/** isa-debug-exit ends QEMU with (value << 1) | 1. */
const EXIT_VALUE = 0x10;
const EXPECTED_EXIT_CODE = (EXIT_VALUE << 1) | 1;

const known = new Map<string, Promise<Accelerator>>();

/**
 * Finds out whether KVM really runs guests here, by running one: a firmware of three instructions that ends QEMU through
 * a debug port. Having /dev/kvm proves nothing (nested without support, no permission). Takes at most 2 s, once per process.
 */
export function detectAccelerator(binary: string): Promise<Accelerator> {
  const cached = known.get(binary);
  if (cached !== undefined) return cached;
  const trial = hasKvmDevice() ? tryKvm(binary) : Promise.resolve('tcg' as const);
  known.set(binary, trial);
  return trial;
}

function hasKvmDevice(): boolean {
  return statSync('/dev/kvm', { throwIfNoEntry: false })?.isCharacterDevice() ?? false;
}

async function tryKvm(binary: string): Promise<Accelerator> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-kvm-'));
  try {
    const firmware = join(folder, 'firmware');
    writeFileSync(firmware, trialFirmware());
    return (await run(binary, firmware)) === EXPECTED_EXIT_CODE ? 'kvm' : 'tcg';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** 64 KiB that end at the top of the first MiB; the CPU starts 16 bytes before the end. */
function trialFirmware(): Buffer {
  const firmware = Buffer.alloc(65_536, 0xf4);
  // mov al, EXIT_VALUE; out 0xf4, al; hlt
  firmware.set([0xb0, EXIT_VALUE, 0xe6, 0xf4, 0xf4], 65_536 - 16);
  return firmware;
}

function run(binary: string, firmware: string): Promise<number | null> {
  const machine = ['-machine', 'pc', '-accel', 'kvm', '-cpu', 'kvm64', '-m', '16', '-nodefaults', '-no-user-config', '-display', 'none'];
  const trial = ['-bios', firmware, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
  return new Promise((resolve) => {
    const child = spawn(binary, [...machine, ...trial], { stdio: 'ignore', timeout: TRIAL_TIMEOUT_MS, killSignal: 'SIGKILL' });
    child.once('error', () => resolve(null));
    child.once('exit', (code) => resolve(code));
  });
}
