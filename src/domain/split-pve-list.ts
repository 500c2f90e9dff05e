/** Splits a list as PVE does: at commas, semicolons and blanks; at NUL alone when the text has one. Empty parts are skipped. */
export function splitPveList(text: string): readonly string[] {
  return text.split(text.includes('\0') ? '\0' : /[,; \t\r\n\f\v]+/).filter((part) => part !== '');
}
