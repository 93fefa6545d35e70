/** Completion for bash 4 and newer, as a script to source. */
import { type Node, nodesOf } from './tree.ts';

export function bashCompletion(root: Node): string {
  const nodes = nodesOf(root);
  return `# Completion of email-ops for bash: source <(email-ops completion bash)
_email_ops() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" at="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/\${COMP_WORDS[i]}" in
      ${alternatives(nodes.filter(({ path }) => path !== '').map(({ path }) => path))}) at="$at/\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $previous" in
${nodes.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${nodes.map(wordCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _email_ops email-ops
`;
}

function valueCases({ path, flags }: Node): readonly string[] {
  return flags.flatMap(({ names, value }) => {
    if (value === null) return [];
    const patterns = alternatives(names.map((name) => `${path} ${name}`));
    const answer = value.isFile ? 'compgen -f --' : `compgen -W '${value.choices.join(' ')}' --`;
    return [`    ${patterns}) COMPREPLY=($(${answer} "$current")); return ;;`];
  });
}

/** Flags only where one was begun: a bare Tab lists commands. */
function wordCase({ path, flags, values, children }: Node): string {
  const words = [...children.map(({ command }) => command.name), ...values].join(' ');
  const names = flags.flatMap((flag) => flag.names).join(' ');
  const label = path === '' ? '""' : path;
  const preset = words === '' ? names : words;
  return `    ${label}) if [[ "$current" == -* ]]; then words='${names}'; else words='${preset}'; fi ;;`;
}

function alternatives(patterns: readonly string[]): string {
  return patterns.map((pattern) => `'${pattern}'`).join(' | ');
}
