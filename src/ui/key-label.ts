/** Keys in words, as they stand on the screen and in the docs. */

/** `C-a` → `Ctrl-A`, `escape` → `Esc`. */
export function keyLabel(key: string): string {
  const parts = /^((?:[CMS]-)*)(.+)$/.exec(key);
  const [, modifiers = '', name = key] = parts ?? [];
  const label = KEY_LABELS[name] ?? (modifiers.includes('C-') ? name.toUpperCase() : name);
  return modifiers.replace('C-', 'Ctrl-').replace('M-', 'Alt-').replace('S-', 'Shift-') + label;
}

const KEY_LABELS: Readonly<Record<string, string>> = {
  space: 'Space',
  enter: 'Enter',
  escape: 'Esc',
  tab: 'Tab',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  home: 'Home',
  end: 'End',
  'page-up': 'PgUp',
  'page-down': 'PgDn',
};
