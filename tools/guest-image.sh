#!/usr/bin/env bash
# Builds what the lab's guests boot, and the lab's own programs: `tools/guest-image.sh <output folder>` leaves vmlinuz, initrd.img, witness,
# observer and delay-line there.
# The kernel is Debian's cloud kernel, unpacked and not installed. A second run with the same inputs does nothing; a kernel
# that is already in the output folder is kept (remove <output folder>/kernel to fetch a newer one).
set -euo pipefail

fail() { echo "guest-image: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail "usage: tools/guest-image.sh <output folder>"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sources=$here/lab/witness
delay_line=$here/lab/faults/delay-line.c
mkdir -p "$1" || fail "cannot create $1"
out=$(cd "$1" && pwd)

for tool in gcc cpio dpkg-deb apt-get sha256sum strip; do
  command -v "$tool" > /dev/null || fail "$tool is missing; remedy: apt-get install gcc libc6-dev binutils cpio"
done
busybox=$(command -v busybox) || fail "busybox is missing; remedy: apt-get install busybox-static"

exec 9> "$out/.lock"
flock 9

inputs() {
  cat "$sources"/*.c "$sources"/*.h "$delay_line" "$here/tools/guest-image.sh" "$busybox"
  gcc -dumpfullversion -dumpmachine
  ls "$out/kernel" 2> /dev/null || true
}
stamp=$(inputs | sha256sum | cut -d' ' -f1)
if [ "$(cat "$out/stamp" 2> /dev/null)" = "$stamp" ] && [ -s "$out/vmlinuz" ] && [ -s "$out/initrd.img" ] && [ -x "$out/observer" ] && [ -x "$out/delay-line" ] && [ -x "$out/witness" ]; then
  exit 0
fi

work=$(mktemp -d "$out/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

fetch_kernel() {
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
  [ -n "$package" ] || fail "apt knows no package linux-image-cloud-amd64; remedy: apt-get update (needs the Debian archive for amd64)"
  echo "guest-image: fetching $package"
  # The user that apt drops its rights to must be able to write here.
  mkdir "$work/deb" && chmod 777 "$work/deb" && chmod 755 "$work"
  (cd "$work/deb" && apt-get download -q "$package" > "$work/download.log" 2>&1) \
    || fail "cannot download $package: $(tail -n 1 "$work/download.log"); remedy: check the network, then apt-get update"
  mkdir -p "$out/kernel"
  mv "$work"/deb/*.deb "$out/kernel/"
}
compgen -G "$out/kernel/linux-image-*.deb" > /dev/null || fetch_kernel
package=$(compgen -G "$out/kernel/linux-image-*.deb" | sort -V | tail -n 1)

echo "guest-image: building from $(basename "$package")"
mkdir "$work/unpacked"
dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work/unpacked" --wildcards './boot/vmlinuz-*' './lib/modules/*/kernel/drivers/*' './lib/modules/*/kernel/net/core/*' \
  || fail "cannot unpack $package; remedy: rm -r $out/kernel and repeat"
modules=$(echo "$work"/unpacked/lib/modules/*)

flags=(-static -O2 -Wall -Wextra -Werror -pthread)
gcc "${flags[@]}" -o "$work/witness" "$sources"/witness*.c || fail "cannot compile the witness; remedy: apt-get install gcc libc6-dev"
gcc "${flags[@]}" -o "$work/observer" "$sources"/observer*.c || fail "cannot compile the observer; remedy: apt-get install gcc libc6-dev"

gcc "${flags[@]}" -o "$work/delay-line" "$delay_line" || fail "cannot compile the delay line; remedy: apt-get install gcc libc6-dev"

# The wanted drivers after everything that they depend on; what the kernel has built in is not a file.
root=$work/root
mkdir -p "$root/bin" "$root/modules" "$root/proc" "$root/sys" "$root/dev"
add_module() {
  local file name needed
  file=$(find "$modules" -name "$1.ko" -o -name "${1//_/-}.ko" | head -n 1)
  [ -n "$file" ] || return 0
  name=$(basename "$file")
  [ ! -e "$root/modules/$name" ] || return 0
  cp "$file" "$root/modules/$name"
  for needed in $(tr '\0' '\n' < "$file" | sed -n 's/^depends=//p' | tr ',' ' '); do add_module "$needed"; done
  strip --strip-debug "$root/modules/$name"
  echo "$name" >> "$root/modules/order"
}
for module in virtio_pci virtio_blk virtio_net evdev button; do add_module "$module"; done
echo scsi >> "$root/modules/order"
for module in virtio_scsi sd_mod; do add_module "$module"; done
[ -s "$root/modules/order" ] || fail "found no drivers in $package; remedy: rm -r $out/kernel and repeat"
cp "$work/witness" "$root/init"
cp "$busybox" "$root/bin/busybox"
# Uncompressed: an emulated processor needs longer to unpack it than to read it.
(cd "$root" && find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible -R 0:0) > "$work/initrd.img"

cp "$work"/unpacked/boot/vmlinuz-* "$work/vmlinuz"
for file in vmlinuz initrd.img observer witness delay-line; do mv "$work/$file" "$out/$file"; done
inputs | sha256sum | cut -d' ' -f1 > "$out/stamp"
