/** How each role looks, as a table for each theme. A theme never paints a background but for badges and the selection. */
import type { Role } from './line.ts';

/** Colours are indices of the terminal's palette: 0–15, or 0–255 where it has them. -1 is the terminal's own. */
export interface Style {
  readonly fg?: number;
  readonly bg?: number;
  readonly bold?: boolean;
  readonly inverse?: boolean;
  readonly underline?: boolean;
}

export const THEME_NAMES = ['dark', 'light', '16', 'mono'] as const;
export type ThemeName = (typeof THEME_NAMES)[number];

export interface Look {
  readonly theme: ThemeName;
  /** Only ASCII can be shown. */
  readonly ascii: boolean;
}

export const THEMES: Readonly<Record<ThemeName, Readonly<Record<Role, Style>>>> = {
  dark: {
    text: {},
    strong: { bold: true },
    muted: { fg: 245 },
    accent: { fg: 80 },
    ok: { fg: 114 },
    warning: { fg: 221 },
    critical: { fg: 210, bold: true },
    selected: { inverse: true },
    key: { fg: 117, bold: true },
    first: { fg: 80 },
    second: { fg: 215 },
    third: { fg: 176 },
    'badge-sandbox': { fg: 16, bg: 80, bold: true },
    'badge-local': { fg: 16, bg: 250, bold: true },
    'badge-production': { fg: 231, bg: 125, bold: true },
    'badge-ok': { fg: 16, bg: 114, bold: true },
    'badge-warning': { fg: 16, bg: 221, bold: true },
    'badge-critical': { fg: 231, bg: 160, bold: true },
  },
  light: {
    text: {},
    strong: { bold: true },
    muted: { fg: 242 },
    accent: { fg: 25 },
    ok: { fg: 22 },
    warning: { fg: 94 },
    critical: { fg: 124, bold: true },
    selected: { inverse: true },
    key: { fg: 25, bold: true },
    first: { fg: 25 },
    second: { fg: 130 },
    third: { fg: 90 },
    'badge-sandbox': { fg: 231, bg: 30, bold: true },
    'badge-local': { fg: 231, bg: 240, bold: true },
    'badge-production': { fg: 231, bg: 125, bold: true },
    'badge-ok': { fg: 231, bg: 22, bold: true },
    'badge-warning': { fg: 16, bg: 220, bold: true },
    'badge-critical': { fg: 231, bg: 160, bold: true },
  },
  // The palette of a 16-colour console is anybody's guess: only colours that are legible on black and on white.
  '16': {
    text: {},
    strong: { bold: true },
    muted: {},
    accent: { fg: 6 },
    ok: { fg: 2 },
    warning: { fg: 3 },
    critical: { fg: 1, bold: true },
    selected: { inverse: true },
    key: { fg: 6, bold: true },
    first: { fg: 6 },
    second: { fg: 3 },
    third: { fg: 5 },
    'badge-sandbox': { fg: 0, bg: 6 },
    'badge-local': { inverse: true },
    'badge-production': { fg: 7, bg: 5, bold: true },
    'badge-ok': { fg: 0, bg: 2 },
    'badge-warning': { fg: 0, bg: 3 },
    'badge-critical': { fg: 7, bg: 1, bold: true },
  },
  // No colour at all (https://no-color.org): bold and inverse only.
  mono: {
    text: {},
    strong: { bold: true },
    muted: {},
    accent: {},
    ok: {},
    warning: { bold: true },
    critical: { bold: true },
    selected: { inverse: true },
    key: { bold: true },
    first: {},
    second: { bold: true },
    third: {},
    'badge-sandbox': { inverse: true },
    'badge-local': { inverse: true },
    'badge-production': { inverse: true, bold: true },
    'badge-ok': { inverse: true },
    'badge-warning': { inverse: true, bold: true },
    'badge-critical': { inverse: true, bold: true },
  },
};

/** The parameters of the escape sequence that switches a style on; empty for the terminal's own look. */
export function sgrOf({ fg = -1, bg = -1, bold, inverse, underline }: Style): string {
  return [
    ...(bold === true ? ['1'] : []),
    ...(underline === true ? ['4'] : []),
    ...(inverse === true ? ['7'] : []),
    ...(fg < 0 ? [] : [`38;5;${fg}`]),
    ...(bg < 0 ? [] : [`48;5;${bg}`]),
  ].join(';');
}

type Variables = Readonly<Record<string, string | undefined>>;

/** By `wanted`, else by what the terminal says of itself. `hasColour` is false for NO_COLOR and `--no-color`. */
export function themeFor(environment: Variables, hasColour: boolean, wanted?: string): ThemeName {
  if (!hasColour) return 'mono';
  const named = THEME_NAMES.find((name) => name === wanted);
  if (named !== undefined) return named;
  const term = environment.TERM ?? '';
  // Bold and inverse are all that a VT100 and its successors have.
  if (/^vt\d/.test(term)) return 'mono';
  const isRich = /256|kitty|ghostty|alacritty|wezterm|truecolor|24bit/i.test(`${term} ${environment.COLORTERM ?? ''}`);
  if (!isRich) return '16';
  // COLORFGBG is `foreground;background`, 7 and 9 to 15 are light backgrounds. Few terminals set it.
  const background = Number(environment.COLORFGBG?.split(';').at(-1) ?? Number.NaN);
  return background === 7 || (background >= 9 && background <= 15) ? 'light' : 'dark';
}
