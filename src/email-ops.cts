#!/usr/bin/env node
// What `bin` points to. Plain old JavaScript, so that a Node that is too old can still read it and say so in one line.

var LEAST_MAJOR = 22;
var LEAST_MINOR = 18;

var version = process.versions.node.split('.');
var major = Number(version[0]);
var minor = Number(version[1]);

if (major < LEAST_MAJOR || (major === LEAST_MAJOR && minor < LEAST_MINOR)) {
  process.stderr.write(
    'email-ops: needs Node ' +
      LEAST_MAJOR +
      '.' +
      LEAST_MINOR +
      ' or newer, and this is Node ' +
      process.versions.node +
      '. Install a newer one from https://nodejs.org or by your version manager.\n',
  );
  process.exitCode = 2;
} else {
  // Before anything else is loaded, so that all of it is kept compiled.
  require('./process.js').prepareProcess(process.env);
  require('./cli.js').main();
}
