// Runs before `npm start` and `npm test`, on whatever Node the machine has: installs when node_modules is missing or older
// than the lockfile. Plain JavaScript without dependencies, because there may be none yet.
'use strict';
var fs = require('node:fs');
var path = require('node:path');
var spawnSync = require('node:child_process').spawnSync;

var root = path.join(__dirname, '..');

// npm writes this file at the end of every install.
function installedAtMs() {
  try {
    return fs.statSync(path.join(root, 'node_modules', '.package-lock.json')).mtimeMs;
  } catch (error) {
    return 0;
  }
}

var lockedAtMs = fs.statSync(path.join(root, 'package-lock.json')).mtimeMs;
if (installedAtMs() < lockedAtMs) {
  console.error(
    'email-ops: installing its packages and Node 24 from the npm registry (about a minute, only the first time) …',
  );
  var npm = process.env.npm_execpath;
  var args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--progress=true'];
  var result = npm
    ? spawnSync(process.execPath, [npm].concat(args), { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    console.error('email-ops: npm ci failed; the reason stands above. Check the network and run the command again.');
    process.exit(result.status || 1);
  }
  // A checkout may give the lockfile a later time than the install has; without this, every start would install again.
  var now = new Date();
  fs.utimesSync(path.join(root, 'node_modules', '.package-lock.json'), now, now);
}
