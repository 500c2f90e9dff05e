/** One column of a table: its heading and what it shows of a row. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

/** Lays rows out under headings, two spaces between columns, no borders: easy to read and to cut. Ends with a newline. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map((column) => column.heading), ...rows.map((row) => columns.map((column) => printable(column.cell(row))))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, index) => pad(cell, { width: widths[index] ?? 0, align: columns[index]?.align }))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function pad(text: string, { width, align }: { width: number; align: 'left' | 'right' | undefined }): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}

/** Names come from config files: a control character in one must not reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
