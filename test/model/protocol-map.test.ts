import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const model = readFileSync('model/handover.pml', 'utf8');
const page = readFileSync('docs/protocol.md', 'utf8');
const [, section = ''] = /^## 3\. .*\n([\s\S]*?)^## 4\. /m.exec(page) ?? [];
/** Rows of the table: the labels of the first column, and the code that the second names. */
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [labels = '', code = ''] = line.split(' | ');
    return { labels: ticked(labels), code: ticked(code) };
  });
const mapped = rows.flatMap(({ labels }) => labels);
const commands = [...model.matchAll(/d_step \{( \/\*@ ([^*]+?) \*\/)?/g)].map(([, , label]) => label ?? 'without a label');

function ticked(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}

describe('the map from the model to the code', () => {
  it('has a row for each command of the model, and no others', () => {
    expect(commands.length).toBeGreaterThan(60);
    expect(new Set(mapped)).toEqual(new Set(commands));
  });

  it('has each command once', () => {
    expect(mapped.filter((label, index) => mapped.indexOf(label) !== index)).toEqual([]);
  });

  it('names files that exist, and in each what is still there', () => {
    const gone = rows.flatMap(({ code }) => {
      let file = '';
      return code.flatMap((name) => {
        if (/^[\w./-]+\/[\w.-]+\.(ts|sh)$/.test(name)) {
          file = name;
          return existsSync(file) ? [] : [file];
        }
        return existsSync(file) && readFileSync(file, 'utf8').includes(name) ? [] : [`${name} in ${file}`];
      });
    });
    expect(gone).toEqual([]);
  });

  it('names some code for each command', () => {
    expect(rows.filter(({ code }) => !code.some((name) => /\.(ts|sh)$/.test(name)))).toEqual([]);
  });
});

describe('the broken variants', () => {
  it('that the model has are all checked by run.sh', () => {
    const run = readFileSync('model/run.sh', 'utf8');
    const flags = new Set([...run.matchAll(/^broken .*$/gm)].flatMap(([line]) => [...line.matchAll(/-D([A-Z_]+)/g)].map(([, flag = '']) => flag)));
    const inModel = new Set(
      [...model.matchAll(/^#ifn?def ([A-Z_]+)$/gm)].map(([, flag = '']) => flag).filter((flag) => !/^(FAULTS|ATTEMPTS|PROPERTIES|REACH)$/.test(flag)),
    );
    expect(flags).toEqual(inModel);
  });
});
