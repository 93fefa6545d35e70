/** Completion for fish, as a script to source. */
import { type Flag, type Node, nodesOf } from './tree.ts';

export function fishCompletion(root: Node): string {
  const nodes = nodesOf(root);
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `@${path}`);
  return `# Completion of email-ops for fish: email-ops completion fish | source
function __email_ops_at
    set -l at @
    for word in (commandline -opc)[2..-1]
        switch "$at/$word"
            case ${paths.join(' ')}
                set at "$at/$word"
        end
    end
    echo $at
end
complete -c email-ops -f
${nodes.flatMap(nodeLines).join('\n')}
`;
}

function nodeLines({ path, flags, values, children }: Node): readonly string[] {
  const here = `complete -c email-ops -n 'test (__email_ops_at) = @${path}'`;
  return [
    ...children.map(({ command }) => `${here} -a ${command.name} -d ${quoted(command.summary)}`),
    ...(values.length === 0 ? [] : [`${here} -a ${quoted(values.join(' '))}`]),
    ...flags.map((flag) => `${here}${flagWords(flag)} -d ${quoted(flag.description)}`),
  ];
}

function flagWords({ names, value }: Flag): string {
  const words = names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join('');
  if (value === null) return words;
  if (value.isFile) return `${words} -r -F`;
  return `${words} -x${value.choices.length === 0 ? '' : ` -a ${quoted(value.choices.join(' '))}`}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
