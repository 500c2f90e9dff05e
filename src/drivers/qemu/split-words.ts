import { KedgeError } from '../../domain/kedge-error.js';

/** One word: runs of plain text, of 'literal' text, of "text with \" and \\ escapes", and of escaped characters. */
const WORD = /\s*((?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+)/y;
const PIECE = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|[^'"\\]+/g;

/** Splits the raw `args` of a guest config into words like a POSIX shell would, but expands nothing. @throws KedgeError `bad-config` open quote */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  const trimmed = text.trimEnd();
  let end = 0;
  while (end < trimmed.length) {
    WORD.lastIndex = end;
    const match = WORD.exec(trimmed);
    if (match?.[1] === undefined) throw new KedgeError('bad-config', `Cannot split args at character ${end + 1}: a quote is not closed`);
    words.push(unquote(match[1]));
    end = WORD.lastIndex;
  }
  return words;
}

function unquote(word: string): string {
  return word.replace(PIECE, (piece, literal?: string, quoted?: string, escaped?: string) => {
    if (literal !== undefined) return literal;
    // Inside double quotes a backslash escapes only these; before anything else it stays.
    if (quoted !== undefined) return quoted.replace(/\\(["\\$`])/g, '$1');
    return escaped ?? piece;
  });
}
