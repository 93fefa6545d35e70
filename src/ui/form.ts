/** Forms and the command line as panels over the view. Pure. */
import { wrap } from '../domain/width.ts';
import { completions, describe } from './command-line.ts';
import type { Dialog, Field, Form } from './dialog.ts';
import { centred, inside, type Rect } from './layout.ts';
import { cut, type Line, line, seg, widthOf } from './line.ts';
import type { Panel } from './panel.ts';
import type { State } from './state.ts';

const FORM_WIDTH = 72;

export function formPanel(state: State, form: Form): Panel {
  const whole = { x: 0, y: 0, width: state.size.columns, height: state.size.rows };
  const width = Math.min(FORM_WIDTH, whole.width - 4);
  const lines = [
    ...form.explain.flatMap((each) => wrapped(each, width - 3)),
    [],
    ...form.fields.flatMap((field, index) => fieldLines(field, index === form.focus)),
    ...(form.fields.length === 0 ? [] : [[]]),
    answerLine(form),
  ];
  const rect = centred(whole, width, Math.min(lines.length + 2, whole.height - 2));
  const room = inside(rect);
  // The question and its answer stay in sight, however long the explanation is.
  const shown =
    lines.length <= room.height ? lines : [...lines.slice(0, 1), ...lines.slice(lines.length - room.height + 1)];
  return {
    id: 'form',
    rect,
    frame: { title: [seg(form.title, 'strong')], role: form.isDangerous ? 'critical' : 'accent' },
    lines: shown.map((each) => cut([seg(' '), ...each], room.width)),
  };
}

/** A sentence goes on in the next line; of a list each entry keeps to its own. */
function wrapped(explained: Line, cells: number): Line[] {
  const [only] = explained;
  if (only === undefined || explained.length > 1 || only.text.startsWith('·')) return [explained];
  return wrap(only.text, cells).map((text) => line(seg(text, only.role)));
}

function fieldLines({ label, value, placeholder, error }: Field, isFocused: boolean): Line[] {
  const shown = value === '' && !isFocused ? seg(placeholder, 'muted') : seg(value);
  const cursor = isFocused ? [seg(' ', 'selected'), ...(value === '' ? [seg(` ${placeholder}`, 'muted')] : [])] : [];
  const main = [seg(isFocused ? '▸ ' : '  ', 'accent'), seg(`${label}: `, 'strong'), shown, ...cursor];
  return error === undefined ? [main] : [main, line(seg(`    ${error}`, 'critical'))];
}

function answerLine({ fields, verb, isDangerous }: Form): Line {
  const role = isDangerous ? 'critical' : 'key';
  const keys = fields.length === 0 ? 'y' : 'Enter';
  return line(seg(keys, role), ` ${verb}   `, seg(fields.length === 0 ? 'n' : 'Esc', 'key'), ' back');
}

type CommandDialog = Extract<Dialog, { kind: 'command' }>;

/** Two lines above the hints: the candidates, and what is typed. */
export function commandLinePanel(state: State, dialog: CommandDialog): readonly Panel[] {
  const { columns, rows } = state.size;
  const rect: Rect = { x: 0, y: rows - 5, width: columns, height: 4 };
  const room = inside(rect);
  const asked = dialog.asked ?? dialog.text;
  const candidates = candidatesLine(completions(asked, state), dialog.chosen, room.width);
  const about = describe(dialog.text, state);
  return [
    {
      id: 'command-line',
      rect,
      frame: { title: line(seg('Command', 'strong'), seg(about === '' ? '' : ` · ${about}`, 'muted')), role: 'accent' },
      lines: [
        candidates.length > 0 || asked.includes(' ') ? candidates : line(seg('no command here begins so', 'muted')),
        cut(line(seg(':', 'key'), dialog.text, seg(' ', 'selected')), room.width),
      ],
    },
  ];
}

/** As many as fit, with the chosen one among them; `…` where there are more on that side. */
function candidatesLine(found: readonly string[], chosen: number, cells: number): Line {
  const words = found.map((each, index) => line(seg(each.trim(), index === chosen ? 'selected' : 'accent')));
  const shown = (first: number, end: number): Line => [
    ...(first === 0 ? [] : [seg('… ', 'muted')]),
    ...words.slice(first, end).flatMap((word, index) => (index === 0 ? word : [seg('  '), ...word])),
    ...(end === words.length ? [] : [seg(' …', 'muted')]),
  ];
  let [first, end] = [0, words.length];
  while (end > first + 1 && widthOf(shown(first, end)) > cells) {
    if (end > Math.max(1, chosen + 1)) end -= 1;
    else first += 1;
  }
  return cut(shown(first, end), cells);
}
