/** A panel as a blessed box: border, title and lines. Only what changed is handed to the widget. */
import type { Widgets } from 'blessed';
import Box from 'blessed/lib/widgets/box.js';
import { type Rect, titleRoom } from '../layout.ts';
import { paintLine, paintLines } from '../paint.ts';
import type { Panel } from '../panel.ts';
import { type Look, THEMES } from '../theme.ts';

export interface MountedBox {
  readonly element: Widgets.BoxElement;
  /** True when something on the screen may be different now. */
  update(panel: Panel, look: Look): boolean;
  destroy(): void;
}

/** The rectangle stays as it is for the life of the box: a panel that moves is mounted anew. */
export function mountBox(screen: Widgets.Screen, panel: Panel, look: Look): MountedBox {
  const { x, y, width, height } = panel.rect;
  const fg = panel.frame === null ? -1 : (THEMES[look.theme][panel.frame.role].fg ?? -1);
  const element = Box({
    parent: screen,
    left: x,
    top: y,
    width,
    height,
    // Text is no markup: what looks like a tag stays as it is.
    tags: false,
    wrap: false,
    ...(panel.frame === null ? {} : { border: { type: 'line' }, style: { border: { fg } as never } }),
  });
  let title = '';
  let content = '';
  let borderFg = fg;
  return {
    element,
    update: (next, { theme, ascii }) => {
      const room = roomOf(next);
      const nextContent = paintLines(next.lines.slice(0, room.height), room.width, { theme, ascii });
      const nextTitle = next.frame === null ? '' : titleText(next, { theme, ascii });
      const nextFg = next.frame === null ? -1 : (THEMES[theme][next.frame.role].fg ?? -1);
      const isSame = nextContent === content && nextTitle === title && nextFg === borderFg;
      if (nextContent !== content) element.setContent(nextContent);
      if (nextTitle !== title) element.setLabel({ text: nextTitle, side: 'left' });
      if (nextFg !== borderFg) element.style.border.fg = nextFg;
      content = nextContent;
      title = nextTitle;
      borderFg = nextFg;
      return !isSame;
    },
    destroy: () => element.destroy(),
  };
}

/** Inside the border. */
export function roomOf({ rect, frame }: Panel): Rect {
  const edge = frame === null ? 0 : 1;
  return { x: edge, y: edge, width: Math.max(0, rect.width - 2 * edge), height: Math.max(0, rect.height - 2 * edge) };
}

function titleText({ frame, rect }: Panel, look: Look): string {
  return frame === null ? '' : ` ${paintLine(frame.title, titleRoom(rect), look)} `;
}
