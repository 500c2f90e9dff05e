/** The value that the trial firmware writes to the debug exit port 0xf4: QEMU then ends with (value << 1) | 1. */
export const TRIAL_EXIT_VALUE = 0x10;

/**
 * A firmware of 64 KiB that goes where every guest goes (long mode with paging), counts in memory, and ends QEMU through
 * isa-debug-exit. Real mode alone would prove nothing: a KVM that emulates it (kvm_pvm in a cloud machine) gets through
 * SeaBIOS and hangs at the switch to long mode.
 */
export function kvmTrialFirmware(): Buffer {
  const firmware = Buffer.alloc(65_536);
  firmware.set(Buffer.from(CODE.join('').replaceAll(' ', ''), 'hex'), 0);
  // The CPU starts 16 bytes before the end: jmp f000:0000.
  firmware.set(Buffer.from('ea000000f0', 'hex'), 65_536 - 16);
  return firmware;
}

/** Loaded at 0xf0000. Made with GNU as; the offsets of `long` (5f), `gdt` (78) and `gdtr` (88) are in the code. */
const CODE = [
  'fa 31c0 8ed8', // cli; ds = 0
  '66c706 0010 03200000', // [1000] = 2003: first level of page tables, present and writable
  '66c706 0020 03300000', // [2000] = 3003: second level
  '66c706 0030 83000000', // [3000] = 83: one page of 2 MiB at 0
  '66b8 00100000 0f22d8', // cr3 = 1000
  '66b8 20000000 0f22e0', // cr4 = PAE
  '66b9 800000c0 66b8 00010000 6631d2 0f30', // EFER = LME
  'b800f0 8ed8 660f0116 8800', // lgdt f000:gdtr
  '66b8 01000080 0f22c0', // cr0 = PG | PE
  '66ea 5f000f00 0800', // jmp 8:long
  'b9 00000100', // long: ecx = 10000
  '48ff0425 00400000 ffc9 75f4', // inc qword [4000]; dec ecx; jnz
  'b0 10 e6f4 f4', // out f4, 10; hlt
  '8d7400', // padding
  '0000000000000000 0000000000 9a2000', // gdt: null, 64-bit code
  '0f00 78000f00', // gdtr: 15, f0000 + gdt
];
