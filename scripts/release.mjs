// `npm run release -- 1.0.0 [--dry-run]`: everything that has to be true of a release is checked; then the version is set, the
// changelog's Unreleased becomes it, and both are committed and tagged; of a version that is written already, only the tag is
// missing. Publishing is said, and left to a person.
// With --dry-run nothing is changed: it says what would be.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOST_BYTES = 1_000_000;
const LINES_SHOWN = 8;
const CHANGED = ['CHANGELOG.md', 'package.json', 'package-lock.json', 'docs/email-ops.1'];
const isDry = process.argv.includes('--dry-run');
const { version: current } = JSON.parse(read('package.json'));
const changelog = read('CHANGELOG.md');
const isTagged = (version) => run('git', ['tag', '--list', `v${version}`]).stdout.trim() !== '';
const isWritten = (version) => version === current && changelog.includes(`## ${version} (`);
const version =
  process.argv.slice(2).find((word) => /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(word)) ??
  (isWritten(current) && !isTagged(current) ? current : nextOf(current));
const [, unreleased = ''] = /^## Unreleased\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(changelog) ?? [];

const faults = [];
if (isWritten(version)) check(`the changelog has ${version}, and nothing that came later`, unreleased.trim() === '');
else {
  check('the changelog has something to release', unreleased.trim() !== '');
  check(`the changelog has no ${version} yet`, !changelog.includes(`## ${version}`));
}
check(`there is no tag v${version}`, !isTagged(version));
check('nothing is uncommitted', run('git', ['status', '--porcelain']).stdout.trim() === '');
checkScript('format, lint, types and the fast tests', 'check');
checkScript('the docs are as src/ has them, their commands and links are there', 'docs:check');
const packed = run('npm', ['pack', '--dry-run', '--json', '--loglevel=error']);
const [report] =
  packed.status === 0 ? JSON.parse(packed.stdout.slice(packed.stdout.indexOf('['))) : [{ size: Infinity }];
check(`the package is under 1 MB (${Math.ceil(report.size / 1_000)} kB)`, report.size < MOST_BYTES);

if (faults.length > 0 && !isDry) {
  console.error(`${version} is not released: ${faults.join('; ')}.`);
  process.exit(1);
}
const heading = `## ${version} (${new Date().toISOString().slice(0, 10)})`;
const writing = [
  [
    `CHANGELOG.md: ${heading}`,
    () => write('CHANGELOG.md', changelog.replace('## Unreleased\n', `## Unreleased\n\n${heading}\n`)),
  ],
  [
    `package.json: ${current} → ${version}`,
    () => must('npm', ['version', version, '--no-git-tag-version', '--silent']),
  ],
  ['docs/email-ops.1: the same', () => must('node', ['scripts/docs.mjs'])],
  [`git commit "Release ${version}"`, () => must('git', ['commit', '-qm', `Release ${version}`, '--', ...CHANGED])],
];
const steps = [
  ...(isWritten(version) ? [] : writing),
  [`git tag v${version}`, () => must('git', ['tag', '-a', `v${version}`, '-m', `email-ops ${version}`])],
];
for (const [what, carryOut] of steps) {
  if (!isDry) carryOut();
  console.log(`${isDry ? 'would do' : 'done    '}  ${what}`);
}
console.log(`then      git push --follow-tags && npm publish`);
// A dry run tells what keeps from releasing, too.
process.exitCode = faults.length === 0 ? 0 : 1;

function check(what, isTrue) {
  console.log(`${isTrue ? '✓' : '✗'} ${what}`);
  if (!isTrue) faults.push(`not true: ${what}`);
}

function checkScript(what, script) {
  const { status, stdout, stderr } = run('npm', ['run', '--silent', script]);
  check(what, status === 0);
  if (status === 0) return;
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => /fail|error|not as|no such|×|✗/i.test(line));
  for (const line of lines.slice(0, LINES_SHOWN)) console.log(`    ${line.trim()}`);
  console.log(`    all of it: npm run ${script}`);
}

/** Before the first major version, that one; afterwards the next minor. */
function nextOf(from) {
  const [major, minor] = from.split('.').map(Number);
  return major === 0 ? '1.0.0' : `${major}.${minor + 1}.0`;
}

function run(program, args) {
  return spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64_000_000 });
}

function must(program, args) {
  const { status, stderr } = run(program, args);
  if (status !== 0) throw new Error(`${program} ${args[0]} failed: ${stderr}`);
}

function read(name) {
  return readFileSync(`${ROOT}${name}`, 'utf8');
}

function write(name, text) {
  writeFileSync(`${ROOT}${name}`, text);
}
