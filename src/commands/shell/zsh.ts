/** Completion for zsh, as a file for `fpath` or a script to source. */
import { type Node, nodesOf } from './tree.ts';

export function zshCompletion(root: Node): string {
  const nodes = nodesOf(root);
  return `#compdef email-ops
# Completion of email-ops for zsh: source <(email-ops completion zsh), after compinit
_email_ops() {
  local at="" i
  local -a commands flags
  for ((i = 2; i < CURRENT; i++)); do
    case "$at/$words[i]" in
      (${nodes
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(path))
        .join('|')}) at="$at/$words[i]" ;;
    esac
  done
  case "$at $words[CURRENT-1]" in
${nodes.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${nodes.map(wordCase).join('\n')}
  esac
  if [[ "$words[CURRENT]" != -* ]] && (( $#commands )); then
    _describe -t commands 'command' commands
  else
    _describe -o -t options 'option' flags
  fi
}
if [[ "$funcstack[1]" = _email_ops ]]; then
  _email_ops "$@"
else
  compdef _email_ops email-ops
fi
`;
}

function valueCases({ path, flags }: Node): readonly string[] {
  return flags.flatMap(({ names, value }) => {
    if (value === null) return [];
    const patterns = names.map((name) => quoted(`${path} ${name}`)).join('|');
    const answer = value.isFile ? '_files' : value.choices.length > 0 ? `compadd -- ${value.choices.join(' ')}` : ':';
    return [`    (${patterns}) ${answer}; return ;;`];
  });
}

function wordCase({ path, flags, values, children }: Node): string {
  const commands = [...children.map(({ command }) => described(command.name, command.summary)), ...values.map(quoted)];
  const names = flags.flatMap((flag) => flag.names.map((name) => described(name, flag.description)));
  return `    (${quoted(path)}) commands=(${commands.join(' ')}); flags=(${names.join(' ')}) ;;`;
}

function described(word: string, description: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${description}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
