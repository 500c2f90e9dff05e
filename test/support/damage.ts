/** Everything that is left of a text when its writing was cut off: each beginning of it, the empty one too, but not the whole. */
export function prefixesOf(text: string): readonly string[] {
  return Array.from({ length: text.length }, (_, length) => text.slice(0, length));
}

/** The text with one bit changed, for each bit of it, as its reader sees it: bytes that are no UTF-8 any more come as U+FFFD. */
export function flipsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return flipped.toString('utf8');
  });
}
