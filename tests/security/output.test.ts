/** What the commands print of a snapshot, of emails, logs and failures, with the words of strangers in every field. */
import { describe, expect, it } from 'vitest';
import { CommandError, ConfigError, UsageError } from '../../src/commands/command.ts';
import { describeFailure, stackOf } from '../../src/commands/failure.ts';
import { deadLetterColumns, emailColumns } from '../../src/commands/queue-list.ts';
import { storyLines } from '../../src/commands/queue-show.ts';
import { compactLines } from '../../src/commands/render/compact.ts';
import { type Look, shown } from '../../src/commands/render/look.ts';
import { monitoringLine } from '../../src/commands/render/monitoring.ts';
import { snapshotJson } from '../../src/commands/render/snapshot-json.ts';
import { statusLines } from '../../src/commands/render/status.ts';
import { table } from '../../src/commands/render/table.ts';
import { withoutSecrets } from '../../src/commands/secrets.ts';
import { logTo } from '../../src/commands/workers.ts';
import { FaultError, faultOfStatus, SYSTEM } from '../../src/data/fault.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { reportOf } from '../../src/ui/report.ts';
import { stringIo } from '../support/cli.ts';
import { connected } from '../support/dashboard.ts';
import { CORPUS, dangersIn, poisoned } from '../support/hostile-text.ts';
import { hostileSnapshots } from '../support/hostile-views.ts';
import { LOADED_ANSWERS } from '../support/loaded-answers.ts';
import { NOON } from '../support/snapshot.ts';

const LOOKS: readonly Look[] = [
  { columns: 80, colour: true, unicode: true },
  { columns: 120, colour: false, unicode: false },
];

describe.each(CORPUS)('%j', (text) => {
  const snapshots = hostileSnapshots(text);

  it('reaches nothing through status, the stream and --json', () => {
    for (const snapshot of snapshots) {
      const verdict = verdictOf(snapshot);
      for (const look of LOOKS) {
        expect(dangersIn(shown(statusLines(snapshot, verdict, look), look))).toEqual([]);
        expect(dangersIn(statusLines(snapshot, verdict, look).join('\n'))).toEqual([]);
        expect(dangersIn(shown(compactLines(snapshot, verdict, look), look))).toEqual([]);
      }
      const line = monitoringLine(snapshot, verdict);
      expect(dangersIn(line)).toEqual([]);
      expect(line.match(/\|/g)?.length ?? 0).toBeLessThanOrEqual(1);
      const json = snapshotJson(snapshot, verdict);
      expect(dangersIn(json)).toEqual([]);
      expect(JSON.parse(json)).toMatchObject({ version: 1 });
    }
  });

  it('reaches nothing through lists and stories of emails', () => {
    const page = poisoned(LOADED_ANSWERS['queue-page'], text);
    const emails = page.items.flatMap((item) => (item.kind === 'email' ? [item] : []));
    const letters = page.items.flatMap((item) => (item.kind === 'dead' ? [item] : []));
    const { email } = poisoned({ email: LOADED_ANSWERS.email }, text);
    for (const look of LOOKS) {
      const lines = [
        ...table(emailColumns(NOON, look), emails, look),
        ...table(deadLetterColumns(NOON, look), letters, look),
        ...(email === null ? [] : storyLines(email.story, NOON, look)),
      ];
      expect(dangersIn(lines.join('\n'))).toEqual([]);
    }
  });

  it('stays on its line in a report, and is neither markup nor a link there', () => {
    for (const snapshot of snapshots) {
      const report = reportOf(connected(snapshot, { operator: text }));
      expect(dangersIn(report)).toEqual([]);
      const [head = '', chart = ''] = report.split('## Charts');
      const strangers = head.replaceAll(/(?<=^- )\*\*[A-Z]+\*\*/gm, '').replaceAll(/\(<1\s%\)|~(?=\d)/g, '');
      expect(strangers).not.toMatch(/(?<!\\)[`*<>[\]|~&$]|(?<!\\)!\[|(?<!\\):\/\/|www\./);
      expect(head.split('\n').filter((line) => !/^(#{1,2} |- |$|\S.*UTC\.$|Nothing)/.test(line))).toEqual([]);
      expect(chart.match(/```/g)).toHaveLength(2);
    }
  });

  it('is one clean line in logs and failures', () => {
    const io = stringIo();
    const log = logTo(io);
    for (const write of [log.info, log.warn, log.error]) write(`[email-worker] brevo: ${text}`);
    expect(dangersIn(io.output.stdout + io.output.stderr)).toEqual([]);
    expect((io.output.stdout + io.output.stderr).trimEnd().split('\n')).toHaveLength(3);
    const failures = [
      new CommandError(text, { cause: new Error(text) }),
      new ConfigError([text]),
      new UsageError(text),
      new FaultError(faultOfStatus(SYSTEM.postgres, 400, text)),
      new Error(text),
      text,
    ];
    for (const failure of failures) {
      const { lines } = describeFailure(failure, { help: 'x', isInterrupted: false });
      expect(dangersIn(lines.join(''))).toEqual([]);
      expect(dangersIn(stackOf(failure))).toEqual([]);
    }
  });
});

describe('secrets in what a library throws', () => {
  it('are taken out, also as part of an address and in the form of a URL', () => {
    const variables = {
      QSTASH_TOKEN: 'qstash-canary/1+2',
      REDIS_URL: 'redis://user:pass%2Fword-canary@127.0.0.1:1/0',
      UPSTASH_REDIS_REST_TOKEN: 'alias-canary',
    };
    const text =
      'at redis://user:pass%2Fword-canary@127.0.0.1:1/0 with pass/word-canary, qstash-canary/1+2, qstash-canary%2F1%2B2, alias-canary';
    expect(withoutSecrets(text, variables)).toBe('at *** with ***, ***, ***, ***');
  });
});
