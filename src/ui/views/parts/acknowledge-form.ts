/** What is asked before every open alert is acknowledged, in whichever view. Pure. */
import { plural } from '../../../domain/format.ts';
import { environmentField } from '../../confirm.ts';
import type { Form } from '../../dialog.ts';
import { line } from '../../line.ts';
import type { State } from '../../state.ts';
import { addressed } from '../../words.ts';
import { openAlerts } from './alert-rows.ts';
import { textLines } from './facts.ts';

const LISTED = 8;
const FORM_TEXT = 66;

export function acknowledgeAllForm(state: State): Form {
  const open = openAlerts(state);
  const more = open.length > LISTED ? [line(`… and ${plural(open.length - LISTED, 'other')}`)] : [];
  const fields = open.length > 1 ? environmentField(state) : [];
  return {
    kind: 'form',
    title: `Acknowledge ${plural(open.length, 'alert')}`,
    explain: [
      ...open.slice(0, LISTED).map((alert) => line(`· ${addressed(alert.text, state.isMasked, 200)}`)),
      ...more,
      ...textLines('They stay in the feed, dimmed, for everybody; repetitions of a day are covered.', FORM_TEXT),
    ],
    fields,
    focus: 0,
    verb: `acknowledge ${plural(open.length, 'alert')}`,
    isDangerous: fields.length > 0,
    purpose: {
      kind: 'act',
      request: { kind: 'acknowledge', fingerprints: open.map(({ fingerprint }) => fingerprint) },
    },
  };
}
