/** Descriptions of guests and of the datacenter: `#` lines, percent-encoded. */

/** Description as people read it: decoded, a newline after each line. */
export function decodeDescription(lines: readonly string[]): string {
  return lines.map((line) => `${percentDecode(line)}\n`).join('');
}

/** The lines of a description as PVE writes them: UTF-8, everything but printable ASCII, and `%` and `:`, percent-encoded. */
export function encodeDescription(text: string): readonly string[] {
  const lines = text.split('\n');
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line) => percentEncode(line, /[^\x20-\x24\x26-\x39\x3b-\x7e]/));
}

/**
 * Lines as they were read, in the form in which PVE writes them, without empty ones at the end. A `%` stays: it begins a code already, or an
 * old PVE wrote it as it is, and either way it is read as before. Blanks at the end of a line stay, too: they mean something in Markdown.
 */
export function canonicalDescription(lines: readonly string[]): readonly string[] {
  const encoded = lines.flatMap((line) => line.split(/%0[aA]/)).map((line) => percentEncode(line, /[^\x20-\x39\x3b-\x7e]/));
  return encoded.slice(0, encoded.findLastIndex((line) => line !== '') + 1);
}

function percentDecode(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (codes) => Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8'));
}

function percentEncode(text: string, unsafe: RegExp): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => String.fromCharCode(byte))
    .map((character) => (unsafe.test(character) ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : character))
    .join('');
}
