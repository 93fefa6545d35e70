// Runs before `npm start` and `npm test`, on whatever Node the machine has: installs when node_modules is missing or older
// than the lockfile. Plain JavaScript without dependencies, because there may be none yet.
'use strict';
var fs = require('node:fs');
var path = require('node:path');
var spawnSync = require('node:child_process').spawnSync;

var root = path.join(__dirname, '..');
var bin = path.join(root, 'node_modules', '.bin');
var isWindows = process.platform === 'win32';
var QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

// npm writes this file at the end of every install.
function installedAtMs() {
  try {
    return fs.statSync(path.join(root, 'node_modules', '.package-lock.json')).mtimeMs;
  } catch (error) {
    return 0;
  }
}

function npm(node, args) {
  var script = process.env.npm_execpath;
  var command = args.concat(QUIET);
  var PATH = node === process.execPath ? process.env.PATH : bin + path.delimiter + process.env.PATH;
  var options = { cwd: root, stdio: 'inherit', env: Object.assign({}, process.env, { PATH: PATH }) };
  var result = script
    ? spawnSync(node, [script].concat(command), options)
    : spawnSync('npm', command, Object.assign(options, { shell: isWindows }));
  if (result.status === 0) return;
  console.error(
    'email-ops: npm ' + args[0] + ' failed; the reason stands above. Check the network and run the command again.',
  );
  process.exit(result.status || 1);
}

// npm leaves out optional packages that the Node it runs on is too old for. The project runs on its own Node, which is not.
function addWhatWasLeftOut() {
  if (Number(process.versions.node.split('.')[0]) >= 22 || isWindows) return;
  var own = path.join(bin, 'node');
  if (fs.existsSync(own)) npm(own, ['install', '--no-save']);
}

var lockedAtMs = fs.statSync(path.join(root, 'package-lock.json')).mtimeMs;
if (installedAtMs() < lockedAtMs) {
  console.error(
    'email-ops: installing its packages and Node 24 from the npm registry (about a minute, only the first time) …',
  );
  npm(process.execPath, ['ci', '--progress=true']);
  addWhatWasLeftOut();
  // A checkout may give the lockfile a later time than the install has; without this, every start would install again.
  var now = new Date();
  fs.utimesSync(path.join(root, 'node_modules', '.package-lock.json'), now, now);
}
