import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { splitWords } from '../../../../src/drivers/qemu/split-words.js';

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  ', []],
    ['-a b', ['-a', 'b']],
    ['  -a\t b  ', ['-a', 'b']],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`x'a b'"c d"y`, ['xa bc dy']],
    [`"a\\"b" 'c\\d' e\\ f`, ['a"b', 'c\\d', 'e f']],
    [`"back\\slash" ""`, ['back\\slash', '']],
    ['$HOME `ls` *', ['$HOME', '`ls`', '*']],
  ])('reads %j as %j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it.each([`'open`, `"open`, `a "b`, 'end\\'])('refuses %j, which does not end', (text) => {
    expect(() => splitWords(text)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  test.prop([fc.array(fc.string())])('gives back whatever was quoted', (words) => {
    const quoted = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ');
    expect(splitWords(quoted)).toEqual(words);
  });
});
