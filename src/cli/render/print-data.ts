import type { CliContext } from '../cli-context.js';

/** Prints `data` as indented JSON with `--json`, else what `text` makes of it. */
export function printData<Data>(context: CliContext, data: Data, options: { json?: true | undefined; text: (data: Data) => string }): void {
  context.out(options.json === true ? `${JSON.stringify(data, undefined, 2)}\n` : options.text(data));
}
