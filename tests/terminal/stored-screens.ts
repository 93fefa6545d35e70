/** Which screens are stored, and what is in their files. `npm run screens` writes them; the test compares. */
import { LEAST_SIZE, type Size } from '../../src/ui/layout.ts';
import type { State } from '../../src/ui/state.ts';
import { THEME_NAMES } from '../../src/ui/theme.ts';
import { ALERT_SCREENS } from '../support/alert-screens.ts';
import { DARK, STORED_STATES, type StoredState } from '../support/dashboard.ts';
import { PROVIDER_SCREENS } from '../support/provider-screens.ts';
import { QUEUE_SCREENS } from '../support/queue-screens.ts';
import { SCHEDULE_SCREENS } from '../support/schedule-screens.ts';
import { draw } from '../support/screens.ts';

export const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 36 },
  { columns: 200, rows: 60 },
] as const;

export interface StoredScreen {
  readonly file: string;
  render(): Promise<string>;
}

const NAMES = Object.keys(STORED_STATES) as StoredState[];

export const STORED_SCREENS: readonly StoredScreen[] = [
  ...NAMES.flatMap((name) =>
    SIZES.map(
      (size): StoredScreen => ({
        file: `overview-${name}-${size.columns}x${size.rows}.txt`,
        render: () => text(name, size),
      }),
    ),
  ),
  ...Object.entries({ ...QUEUE_SCREENS, ...ALERT_SCREENS, ...PROVIDER_SCREENS, ...SCHEDULE_SCREENS }).flatMap(
    ([name, make]) =>
      SIZES.map(
        (size): StoredScreen => ({
          file: `${name}-${size.columns}x${size.rows}.txt`,
          render: () => drawn(make(size, DARK)),
        }),
      ),
  ),
  { file: 'overview-incident-60x16.txt', render: () => text('incident', LEAST_SIZE) },
  {
    file: 'overview-incident-80x24-ascii.txt',
    render: () => text('incident', SIZES[0], { theme: 'mono', ascii: true }),
  },
  // What a theme changes are the looks, so its file has them below the text, a letter a cell.
  ...THEME_NAMES.map(
    (theme): StoredScreen => ({
      file: `overview-incident-80x24-theme-${theme}.txt`,
      render: async () => {
        const state = STORED_STATES.incident(SIZES[0], { theme, ascii: false });
        const [seen = ''] = await draw([state], (terminal) => {
          const { rows, legend } = terminal.looks();
          return [...terminal.rows(), '', ...rows, '', ...legend].join('\n');
        });
        return `${seen}\n`;
      },
    }),
  ),
];

function text(name: StoredState, size: Size, look = DARK): Promise<string> {
  return drawn(STORED_STATES[name](size, look));
}

async function drawn(state: State): Promise<string> {
  const [rows = []] = await draw([state], (terminal) => terminal.rows());
  return `${rows.join('\n')}\n`;
}
