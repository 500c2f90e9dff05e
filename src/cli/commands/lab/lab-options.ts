import { Option } from '@commander-js/extra-typings';

/** `--name` of all lab commands. */
export const nameOption = () => new Option('--name <lab>', 'name of the lab').default('default').env('KEDGE_LAB');

/** Gathers the values of an option that may be repeated. */
export const collect = (value: string, before: string[]): string[] => [...before, value];
