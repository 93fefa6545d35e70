import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withVariables } from '../../src/commands/env-file.ts';
import { connectionOf } from '../../src/commands/migrate.ts';
import { edited } from '../../src/commands/prompt.ts';

describe('variables in .env', () => {
  it('are changed in their place, added at the end, and everything else stays', () => {
    const text = "# ours\nexport A=1\nB='two words' # why\n\nC=3\n";
    expect(withVariables(text, { A: '9', D: 'new', C: null })).toBe("# ours\nA=9\nB='two words' # why\n\nD=new\n");
  });

  it('refuse a file in which something else would change too', () => {
    expect(() => withVariables('KEY="first\nA=inside\nlast"\n', { A: '1' })).toThrow(/several lines/);
  });

  it('read back as they were given, whatever a key is made of', () => {
    const key = fc.stringMatching(/^[\x21-\x7e]{1,60}$/);
    fc.assert(
      fc.property(key, key, (one, other) => {
        fc.pre(!["'", '"', '`'].every((quote) => one.includes(quote)));
        const text = withVariables(`OTHER=kept\nKEY=old\n`, { KEY: one });
        expect(parseEnv(text)).toEqual({ OTHER: 'kept', KEY: one });
        fc.pre(!["'", '"', '`'].every((quote) => other.includes(quote)));
        expect(parseEnv(withVariables(text, { KEY: other }))).toEqual({ OTHER: 'kept', KEY: other });
      }),
    );
  });
});

describe('the address of a database', () => {
  it('is taken apart, so that its password is on no command line', () => {
    expect(connectionOf('postgresql://post%40gres:p%2Fw@db.example.org:6543/app?sslmode=require')).toEqual({
      PGHOST: 'db.example.org',
      PGPORT: '6543',
      PGUSER: 'post@gres',
      PGPASSWORD: 'p/w',
      PGDATABASE: 'app',
      PGSSLMODE: 'require',
    });
  });

  it.each(['', 'https://example.org', 'db.example.org'])('%j is none', (text) => {
    expect(() => connectionOf(text)).toThrow(/no address of a database/);
  });
});

describe('a hidden answer', () => {
  it.each([
    ['plain', 'plain'],
    ['typox\x7f\x7fo', 'typo'],
    ['wrong\x15right', 'right'],
    ['\x1b[200~pasted\x1b[201~', 'pasted'],
    ['\x1b[Aup', 'up'],
  ])('typed as %j is %j', (typed, expected) => {
    expect(edited(typed)).toBe(expected);
  });
});
