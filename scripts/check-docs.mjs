// `npm run docs:check`: every command and every link in README, CONTRIBUTING, CHANGELOG and docs/ is one that there is. With
// --run, the commands that only look are also run, against a sandbox of their own. Changes nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandTree } from '../src/commands/shell/tree.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
/** What changes nothing, whoever runs it. */
const LOOKING =
  /^(status|doctor|cost|report|completion|(queue|alerts|providers|schedules) list|schedules vercel|sandbox (status|outbox))\b/;

const tree = await commandTree();
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const commands = new Map();
const faults = PAGES.flatMap((page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...linkFaults(page, text), ...commandFaults(text)].map((fault) => `${page}: ${fault}`);
});
if (process.argv.includes('--run')) faults.push(...runAll());
for (const fault of faults) console.error(fault);
console.log(
  `${PAGES.length} pages, ${commands.size} commands: ${faults.length === 0 ? 'all there' : `${faults.length} faults`}`,
);
process.exitCode = faults.length === 0 ? 0 : 1;

function linkFaults(page, text) {
  const targets = [...text.matchAll(/(?:\]\(|(?:src|href)=")(?!https?:|mailto:)([^)"\s]+)/g)].map(
    ([, target]) => target,
  );
  return targets.flatMap((target) => {
    const [path, anchor] = target.split('#');
    const file = path === '' ? join(ROOT, page) : join(dirname(join(ROOT, page)), path);
    if (!existsSync(file)) return [`${target} is not there`];
    if (anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).has(anchor)) return [];
    return [`${target}: ${relative(ROOT, file)} has no such section`];
  });
}

/** As GitHub makes them of headings, and those that stand there. */
function anchorsOf(text) {
  const headings = [...text.matchAll(/^#{1,6} +(.+)$/gm)].map(([, title]) =>
    title
      .replaceAll(/<[^>]*>|`/g, '')
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)"/g)].map(([, id]) => id)]);
}

function commandFaults(text) {
  const blocks = [...text.matchAll(/^```(?:sh|bash)\n([\s\S]*?)^```/gm)].flatMap(([, block]) => block.split('\n'));
  const inline = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);
  return [...blocks, ...inline].flatMap((line) =>
    line
      .replace(/\s#\s.*$/, '')
      .split(/\|\||&&|[|;]|[<>]\(?(?!\w+>)|\$\(|\)/)
      .flatMap((part) => callFaults(wordsOf(part.trim()))),
  );
}

function wordsOf(text) {
  return (text.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));
}

/** Of one call, without what stands before it: variables, sudo. */
function callFaults(words) {
  const at = words.findIndex((word) => !/^\w+=/.test(word) && word !== 'sudo');
  const [program, ...rest] = words.slice(Math.max(0, at));
  if (program === 'npm' && rest[0] === 'run') return scripts[rest[1]] ? [] : [`npm run ${rest[1]} is no script`];
  if (program === 'node' && rest[0] === 'src/cli.ts') return email(rest.slice(1));
  return program === 'email-ops' ? email(rest) : [];
}

function email(words) {
  const line = words.join(' ');
  commands.set(line, words);
  let node = tree;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    // `<id>`, `[--json]`, `…`: stands for something.
    if (/[<>[\]…*]/.test(word) || ['2', '&'].includes(word)) continue;
    if (word.startsWith('-') && word !== '-') {
      const [name, given] = word.split('=');
      const flag = node.flags.find(({ names }) => names.includes(name));
      if (flag === undefined) {
        if (name === '--help' || name === '-h') continue;
        return [`email-ops ${line}: there is no ${name}`];
      }
      if (flag.value === null) continue;
      const value = given ?? words[++index];
      const { choices } = flag.value;
      if (value !== undefined && choices.length > 0 && !/[<…]/.test(value) && !choices.includes(value))
        return [`email-ops ${line}: ${name} takes no ${value}`];
      continue;
    }
    const child = node.children.find(({ command }) => command.name === word);
    if (child !== undefined) node = child;
    else if (node.children.length > 0 && word !== 'help') return [`email-ops ${line}: there is no command ${word}`];
    else if (node.values.length > 0 && !node.values.includes(word.split('|')[0]))
      return [`email-ops ${line}: takes no ${word}`];
  }
  return [];
}

function runAll() {
  const state = mkdtempSync(join(tmpdir(), 'email-ops-docs-'));
  const env = { PATH: process.env.PATH, HOME: state, XDG_STATE_HOME: state, LANG: 'C.UTF-8' };
  const lines = [...commands].filter(([line]) => LOOKING.test(line) && !/[<[…]|-o |--output/.test(line));
  try {
    return lines.flatMap(([line, words]) => {
      const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'src/cli.ts'), ...words], {
        cwd: state,
        env,
        encoding: 'utf8',
        timeout: 120_000,
      });
      // 2 is also what `status` says of a critical system; then it says nothing on stderr.
      const isWrong = status === null || (status === 2 && !line.startsWith('status')) || status > 3;
      return isWrong ? [`email-ops ${line} ended with ${status}: ${stderr.trim().split('\n').at(-1)}`] : [];
    });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
