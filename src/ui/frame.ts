/** State → everything on the screen: banner, tabs, the view, hints, and what lies over them. Pure. */
import { bannerLines } from './banner.ts';
import { commandLinePanel, formPanel } from './form.ts';
import { helpPanel } from './help.ts';
import { hintLine } from './hints.ts';
import { bodyOf, isTooSmall, LEAST_SIZE } from './layout.ts';
import { cut, type Line, line, seg, spread } from './line.ts';
import { bare, type Frame, type Panel } from './panel.ts';
import type { State } from './state.ts';
import { BANNER_ROWS, roomForTabs, tabLabels, unseenWords } from './tabs.ts';
import { toastPanel } from './toast.ts';
import { withTour } from './tour.ts';
import { localOf } from './view.ts';
import { viewOf } from './views.ts';

/** Back to front. Every panel lies within the screen. */
export function frameOf(state: State): Frame {
  const { columns, rows } = state.size;
  if (isTooSmall(state.size)) return [tooSmall(state)];
  const view = viewOf(state.view);
  const body = bodyOf(state.size);
  const toast = toastPanel(state, body);
  const frame = [
    bare('banner', { x: 0, y: 0, width: columns, height: BANNER_ROWS }, bannerLines(state, columns)),
    bare('tabs', { x: 0, y: BANNER_ROWS, width: columns, height: 1 }, [tabLine(state, columns)]),
    ...view.panels(state, body, localOf(state, view)),
    bare('hints', { x: 0, y: rows - 1, width: columns, height: 1 }, [hintLine(state, columns)]),
    ...(toast === null ? [] : [toast]),
    ...dialogPanels(state),
  ];
  return state.dialog?.kind === 'tour' ? withTour(frame, state, state.dialog.step) : frame;
}

function tooSmall({ size, closing }: State): Panel {
  const least = `${LEAST_SIZE.columns}×${LEAST_SIZE.rows}`;
  const texts =
    closing === null
      ? [
          `${size.columns}×${size.rows} is too small: email-ops needs ${least}`,
          `too small: needs ${least}`,
          `needs ${least}`,
        ]
      : [closing];
  const text = texts.find(({ length }) => length <= size.columns) ?? texts.at(-1) ?? '';
  const rect = { x: 0, y: 0, width: Math.max(1, size.columns), height: 1 };
  return bare('too-small', rect, [cut(line(text), rect.width)]);
}

function tabLine(state: State, columns: number): Line {
  const tabs = tabLabels(roomForTabs(state)).flatMap(({ id, label }) => [
    seg(label, id === state.view ? 'selected' : 'muted'),
    seg(' '),
  ]);
  return spread(tabs, line(seg(unseenWords(state), 'critical')), columns);
}

function dialogPanels(state: State): readonly Panel[] {
  const { dialog } = state;
  if (dialog === null) return [];
  switch (dialog.kind) {
    case 'help':
      return [helpPanel(state, dialog.scroll)];
    case 'command':
      return commandLinePanel(state, dialog);
    // Laid over the whole frame, beside what it points at.
    case 'tour':
    // The view shows it where it belongs.
    case 'prompt':
      return [];
    case 'form':
      return [formPanel(state, dialog)];
    default:
      return dialog satisfies never;
  }
}
