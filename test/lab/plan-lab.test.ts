import { describe, expect, it } from 'vitest';
import { labFolder } from '../../lab/lab-folder.js';
import { labStateSchema } from '../../lab/lab-state.js';
import { labOnPaper } from './lab-on-paper.js';

describe('a planned lab', () => {
  it('is what lab.json can hold', () => {
    const lab = labOnPaper();
    expect(labStateSchema.parse(JSON.parse(JSON.stringify(lab)))).toEqual(lab);
  });

  it('has a switch, a relay, a control machine, a client and its nodes', () => {
    expect(labOnPaper().machines.map(({ name }) => name)).toEqual(['switch', 'relay', 'control', 'client', 'node1', 'node2']);
  });

  it('limits nodes only, and slow ones to a part of their cores', () => {
    expect(labOnPaper().machines.map(({ cores }) => cores)).toEqual([null, null, null, null, 2, 1]);
  });

  it('has groups that carry its name', () => {
    expect(labOnPaper().machines.at(-1)?.cgroups).toEqual(['/sys/fs/cgroup/memory/kedge-lab-paper/node2']);
  });

  it.each(['', 'Upper', '../up', 'a/b', '-a', 'x'.repeat(32)])('is never called "%s"', (name) => {
    expect(() => labFolder(name)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
