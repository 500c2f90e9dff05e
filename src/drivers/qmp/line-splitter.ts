/** Cuts a byte stream into lines; a line longer than `limitBytes` is refused, so that a broken peer can't eat the memory. */
export class LineSplitter {
  readonly #limitBytes: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Takes the next bytes and answers the lines that they complete, without line ends. @throws RangeError over the limit */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.#keep(chunk.subarray(start, end));
      const line = Buffer.concat(this.#parts).toString('utf8').trimEnd();
      this.#parts = [];
      this.#length = 0;
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#limitBytes) throw new RangeError(`Line is longer than ${this.#limitBytes} bytes`);
    if (part.length > 0) this.#parts.push(part);
  }
}
