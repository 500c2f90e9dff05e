/** Where the guest's writes begin: above everything that the firmware uses. */
const DIRTY_FROM = 0x100_0000;
const PAGE = 0x1000;

/**
 * A boot sector that writes to `dirtyBytes` of memory from 16 MiB on, page after page and over and over: a guest that is busy for
 * as long as a copy is watched, without a kernel. x86 real mode with a flat ES ("unreal mode").
 */
export function busyBootSector({ dirtyBytes }: { dirtyBytes: number }): Uint8Array {
  const sector = new Uint8Array(512);
  const gdtAt = 0x60;
  sector.set([
    ...[0xfa], // cli
    ...[0x31, 0xc0, 0x8e, 0xd8], // xor ax,ax; mov ds,ax
    ...[0x0f, 0x01, 0x16, ...le16(0x7c00 + gdtAt)], // lgdt [gdt]
    ...[0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0], // protected mode on
    ...[0xbb, 0x08, 0x00, 0x8e, 0xc3], // mov bx,8; mov es,bx
    ...[0x24, 0xfe, 0x0f, 0x22, 0xc0], // and off again: ES keeps its limit of 4 GiB
    ...[0x66, 0xbf, ...le32(DIRTY_FROM)], // again: mov edi,from
    ...[0x26, 0x67, 0x66, 0xff, 0x07], // next: inc dword [es:edi]
    ...[0x66, 0x81, 0xc7, ...le32(PAGE)], // add edi,page
    ...[0x66, 0x81, 0xff, ...le32(DIRTY_FROM + dirtyBytes)], // cmp edi,to
    ...[0x72, 0xeb], // jb next
    ...[0xeb, 0xe3], // jmp again
  ]);
  sector.set([...le16(15), ...le32(0x7c00 + gdtAt + 6), ...new Array<number>(8).fill(0), 0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0], gdtAt);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

function le16(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}

function le32(value: number): number[] {
  return [...le16(value), ...le16(value >>> 16)];
}
