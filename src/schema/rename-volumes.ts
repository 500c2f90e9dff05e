/** `key:`, blanks, value. */
const ENTRY = /^([a-z][a-z_-]*[0-9]*:[ \t]*)([^]*)$/;
/** The property that names the volume: the default one, or by its name. */
const VOLUME_PROPERTY = /^((?:file|volume)=)?([^]*)$/;

/**
 * A guest's config, of a VM or a container, with volumes under new names: in its main section, in every snapshot and in the pending
 * changes. Everything else stays to the letter.
 */
export function renameVolumes(config: string, names: ReadonlyMap<string, string>): string {
  return config
    .split('\n')
    .map((line) => {
      const [, key, value] = ENTRY.exec(line) ?? [];
      if (key === undefined || value === undefined) return line;
      return `${key}${value
        .split(',')
        .map((property) => renameIn(property, names))
        .join(',')}`;
    })
    .join('\n');
}

function renameIn(property: string, names: ReadonlyMap<string, string>): string {
  const [, name = '', volume = ''] = VOLUME_PROPERTY.exec(property) ?? [];
  const end = volume.trimEnd();
  const renamed = names.get(end);
  return renamed === undefined ? property : `${name}${renamed}${volume.slice(end.length)}`;
}
