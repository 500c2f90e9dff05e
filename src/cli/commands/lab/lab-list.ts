import { Command } from '@commander-js/extra-typings';

/** `kedge lab list`: the labs of this machine. */
export function labListCommand() {
  return new Command('list')
    .description('List the labs of this machine')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  kedge lab list')
    .action(async (options) => {
      const [{ findLab, labNames }, { labFolder }] = await Promise.all([import('../../../../lab/lab-store.js'), import('../../../../lab/lab-folder.js')]);
      const labs = labNames().map((name) => {
        const lab = findLab(labFolder(name));
        return { name, state: lab?.state ?? 'half-built', nodes: lab?.options.nodes ?? 0, folder: labFolder(name).path };
      });
      if (options.json === true) console.log(JSON.stringify(labs, undefined, 2));
      else if (labs.length === 0) console.log('No lab is here; start one with "kedge lab up"');
      else for (const lab of labs) console.log(`${lab.name}  ${lab.state}  ${lab.nodes} nodes  ${lab.folder}`);
    });
}
