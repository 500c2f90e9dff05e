import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { GuestMarker, GuestNote } from '../../domain/guest-note.js';
import { parseGeneration, parseVmid, type Vmid } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { GUEST_KINDS, WANTED_STATES } from '../../domain/ownership.js';
import { generationSchema, nodeNameSchema, vmidSchema } from '../../schema/id-schemas.js';
import { removeDurably, syncFolder, writeDurably } from '../host/durable-file.js';
import { errnoOf, storageError } from '../host/storage-error.js';

/**
 * The notes of a storage's guests, in its folder `.kedge`. All that is written is durable when the call returns; what is read is opened anew.
 * All throw `storage-failed` or `no-space` when the storage does.
 */
export interface GuestNotes {
  /** The folder that they are in. */
  readonly folder: string;
  /** The text of a file of this folder that is no note; null: there is none. */
  peek(name: string): Promise<string | null>;
  /** Guests of which there is a config. */
  list(): Promise<readonly Vmid[]>;
  /** Guests of which there is a config or a marker: a removal that was cut off leaves markers alone. */
  guests(): Promise<readonly Vmid[]>;
  /**
   * What there is of each guest, from one list of names; of those that `isWanted` does not want to know more of by their newest marker, nothing. A file
   * that can't be understood is told, and is not the end.
   */
  survey(isWanted: (vmid: Vmid, newest: GuestMarker | null) => Promise<boolean>): Promise<readonly SurveyedNote[]>;
  /** Null: there is none. @throws KedgeError `storage-failed` also for one that can't be understood */
  read(vmid: Vmid): Promise<GuestNote | null>;
  /** The marker of the greatest generation. */
  newest(vmid: Vmid): Promise<GuestMarker | null>;
  /** Is this very marker there? */
  has(vmid: Vmid, marker: GuestMarker): Promise<boolean>;
  write(note: GuestNote): Promise<void>;
  /** Makes a marker unless there is one of this generation; answers the one in force. */
  mark(vmid: Vmid, marker: GuestMarker): Promise<GuestMarker>;
  /** Removes a marker that its maker has no use for. */
  unmark(vmid: Vmid, marker: GuestMarker): Promise<void>;
  /**
   * Removes markers of lower generations: one that is greater must be there, so that no late taker finds room. What a writer that died left of a
   * file that never got its name goes too.
   */
  dropOlder(vmid: Vmid, than: GuestMarker): Promise<void>;
  /**
   * Removes config and markers, these from the oldest on: cut off, it leaves the newest ones. With an older one alone a taker of that time would find
   * it, and room for the marker that the owner has taken the guest by.
   */
  remove(vmid: Vmid): Promise<void>;
}

export interface SurveyedNote {
  readonly vmid: Vmid;
  readonly newest: GuestMarker | null;
  readonly note: GuestNote | null;
  /** Why it could not be understood; null: it could. */
  readonly unreadable: string | null;
}

const HEAD = '#kedge ';
const headSchema = z.object({
  vmid: vmidSchema,
  kind: z.enum(GUEST_KINDS),
  owner: nodeNameSchema,
  generation: generationSchema,
  wanted: z.enum(WANTED_STATES),
});
/** A writer that needs longer for a few hundred bytes fails to name its file, and is told so. */
const DEAD_AFTER_MS = 60_000;
const markerSchema = z.object({ owner: nodeNameSchema });

/**
 * Of what is only read: a storage that hangs (a server of NFS that is away) must not hold a guest's lock, or the start of a node, for ever. What is
 * written is waited for: nobody may think that it was not.
 */
const READ_LIMIT_MS = 10_000;

/**
 * Reads of each folder: one at a time, and none while one that was given up has not come back. A read that hangs keeps one of the few threads that
 * all files of the process are read and written by, those of the records too: a storage that hangs may have one of them, and no more. Each has its whole
 * time from its own turn on: many reads of a slow storage are no storage that hangs.
 */
const reads = new Map<string, { turn: Promise<void>; isHanging: boolean }>();

/** Opens the notes of the storage whose folder is `root`. Makes nothing. */
export function openGuestNotes(root: string, readLimitMs = READ_LIMIT_MS): GuestNotes {
  const folder = join(root, '.kedge');
  const configFile = (vmid: Vmid): string => join(folder, `${vmid}.conf`);
  const markerFile = (vmid: Vmid, generation: number): string => join(folder, `${vmid}.${generation}`);
  const names = (): Promise<readonly string[]> => answered(folder, { what: folder, ask: () => namesIn(folder), limitMs: readLimitMs });
  const generationsOf = async (vmid: Vmid): Promise<readonly number[]> =>
    (await names())
      .flatMap((name) => {
        const match = /^([1-9][0-9]{2,8})\.([1-9][0-9]{0,14})$/.exec(name);
        return match?.[1] === String(vmid) ? [Number(match[2])] : [];
      })
      .sort((one, other) => one - other);
  const readText = (file: string): Promise<string> => answered(folder, { what: file, ask: () => readFile(file, 'utf8'), limitMs: readLimitMs });
  const readMarker = async (vmid: Vmid, generation: number): Promise<GuestMarker> =>
    understand(markerFile(vmid, generation), readText, (text) => ({
      generation: parseGeneration(generation),
      owner: markerSchema.parse(JSON.parse(text)).owner,
    }));
  return {
    folder,
    peek: (name) =>
      readText(join(folder, name)).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return null;
        throw error instanceof KedgeError ? error : storageError(`read "${join(folder, name)}"`, error);
      }),
    list: async () => (await names()).flatMap((name) => (/^[1-9][0-9]{2,8}\.conf$/.test(name) ? [parseVmid(name.slice(0, -'.conf'.length))] : [])),
    guests: async () => [...byGuest(await names()).keys()],
    survey: async (isWanted) => {
      const found: SurveyedNote[] = [];
      for (const [vmid, { generations, hasConfig }] of byGuest(await names())) {
        let newest: GuestMarker | null = null;
        try {
          newest = generations.length === 0 ? null : await readMarker(vmid, Math.max(...generations));
          if (!(await isWanted(vmid, newest))) continue;
          const note = hasConfig ? await understand(configFile(vmid), readText, (text) => parseNote(vmid, text)) : null;
          found.push({ vmid, newest, note, unreadable: null });
        } catch (error) {
          if (!(error instanceof KedgeError)) throw error;
          // Is it the file, or the storage? That is asked once more. A file that is gone by now is none that can't be understood.
          const present = byGuest(await names()).get(vmid);
          const isAsListed = present?.hasConfig === hasConfig && generations.every((generation) => present.generations.includes(generation));
          if (isAsListed) found.push({ vmid, newest, note: null, unreadable: error.message });
        }
      }
      return found;
    },
    read: async (vmid) => {
      if (!(await names()).includes(`${vmid}.conf`)) return null;
      return understand(configFile(vmid), readText, (text) => parseNote(vmid, text));
    },
    newest: async (vmid) => {
      const generations = await generationsOf(vmid);
      return generations.length === 0 ? null : readMarker(vmid, Math.max(...generations));
    },
    has: async (vmid, { generation, owner }) => (await generationsOf(vmid)).includes(generation) && (await readMarker(vmid, generation)).owner === owner,
    write: async (note) => {
      await makeFolder(folder);
      await writeDurably(configFile(note.vmid), printNote(note), { mode: 0o644 });
    },
    mark: async (vmid, { generation, owner }) => {
      await makeFolder(folder);
      await makeOnce(markerFile(vmid, generation), `${JSON.stringify({ owner })}\n`);
      return readMarker(vmid, generation);
    },
    unmark: (vmid, { generation }) => removeDurably(markerFile(vmid, generation)),
    dropOlder: async (vmid, { generation: than }) => {
      for (const generation of await generationsOf(vmid)) if (generation < than) await removeDurably(markerFile(vmid, generation));
      await removeStages(folder, { vmid, olderThanMs: DEAD_AFTER_MS });
    },
    remove: async (vmid) => {
      await removeDurably(configFile(vmid));
      for (const generation of await generationsOf(vmid)) await removeDurably(markerFile(vmid, generation));
    },
  };
}

interface NamesOfGuest {
  readonly generations: readonly number[];
  readonly hasConfig: boolean;
}

function byGuest(names: readonly string[]): ReadonlyMap<Vmid, NamesOfGuest> {
  const found = new Map<Vmid, NamesOfGuest>();
  for (const name of names) {
    const [, number, what] = /^([1-9][0-9]{2,8})\.(conf|[1-9][0-9]{0,14})$/.exec(name) ?? [];
    if (number === undefined || what === undefined) continue;
    const vmid = parseVmid(number);
    const { generations, hasConfig } = found.get(vmid) ?? { generations: [], hasConfig: false };
    found.set(vmid, what === 'conf' ? { generations, hasConfig: true } : { generations: [...generations, Number(what)], hasConfig });
  }
  return found;
}

function printNote({ config, ...head }: GuestNote): string {
  return `${HEAD}${JSON.stringify(head)}\n${config}`;
}

function parseNote(vmid: Vmid, text: string): GuestNote {
  const end = text.indexOf('\n');
  if (!text.startsWith(HEAD) || end < 0) throw new Error('its first line is not one of Kedge');
  const head = headSchema.parse(JSON.parse(text.slice(HEAD.length, end)));
  if (head.vmid !== vmid) throw new Error(`it names guest ${head.vmid}`);
  return { ...head, config: text.slice(end + 1) };
}

/** @throws KedgeError `storage-failed` when nothing has come in time, or in the time of an earlier one; what was asked goes on, for nobody */
async function answered<Result>(folder: string, { what, ask, limitMs }: { what: string; ask: () => Promise<Result>; limitMs: number }): Promise<Result> {
  const lane = reads.get(folder) ?? { turn: Promise.resolve(), isHanging: false };
  reads.set(folder, lane);
  const before = lane.turn;
  let endTurn = (): void => undefined;
  lane.turn = new Promise((resolve) => {
    endTurn = resolve;
  });
  await before;
  let timer: NodeJS.Timeout | undefined;
  try {
    if (lane.isHanging) throw new KedgeError('storage-failed', `Cannot read "${what}": its storage has not answered an earlier read yet`);
    const asked = ask();
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        lane.isHanging = true;
        const comeBack = (): void => void (lane.isHanging = false);
        asked.then(comeBack, comeBack);
        reject(new KedgeError('storage-failed', `Cannot read "${what}": its storage gives no answer for ${limitMs / 1_000} s`));
      }, limitMs);
    });
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
    endTurn();
  }
}

async function understand<Result>(file: string, read: (file: string) => Promise<string>, parse: (text: string) => Result): Promise<Result> {
  const text = await read(file).catch((error: unknown) => {
    throw error instanceof KedgeError ? error : storageError(`read "${file}"`, error);
  });
  try {
    return parse(text);
  } catch (cause) {
    throw new KedgeError('storage-failed', `Cannot understand "${file}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storageError(`list "${folder}"`, error);
  }
}

/** Not recursive: a storage folder that is not there is an unmounted storage, and must not fill the disk below. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o755 }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw storageError(`make "${folder}"`, error);
  });
}

/** The file appears whole (a link to a synced one), and only one link can win; who loses finds the winner's. */
async function makeOnce(file: string, content: string): Promise<void> {
  const mine = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.stage`);
  try {
    const handle = await open(mine, 'wx', 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
      await link(mine, file).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      });
    } finally {
      await handle.close();
      await unlink(mine);
    }
    await syncFolder(dirname(file));
  } catch (error) {
    throw error instanceof KedgeError ? error : storageError(`make "${file}"`, error);
  }
}

/** Files that wait for their name, as durable-file.ts and `makeOnce` call them. Another node's writer may be at work, so only its clock can tell. */
async function removeStages(folder: string, { vmid, olderThanMs }: { vmid: Vmid; olderThanMs: number }): Promise<void> {
  for (const name of (await namesIn(folder)).filter((each) => each.startsWith(`.${vmid}.`) && each.endsWith('.stage'))) {
    const file = join(folder, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > olderThanMs) await removeDurably(file);
  }
}
