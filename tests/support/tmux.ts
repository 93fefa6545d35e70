/** A real terminal: a shell with job control in a tmux server of its own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinary, isMissing } from './real-server.ts';

export function isTmuxMissing(): boolean {
  return isMissing('tmux', findBinary(['tmux']));
}

export interface Tmux {
  /** Types text and then Enter. */
  line(text: string): void;
  /** Keys by tmux's names: `Enter`, `C-c`, `q`. */
  keys(...names: readonly string[]): void;
  screen(): string;
  /** The pid of what the shell runs. */
  child(): number;
  until(words: string | RegExp, deadlineMs?: number): Promise<string>;
  resize(columns: number, rows: number): void;
  /** What the terminal is in now. */
  modes(): { alternate: boolean; cursor: boolean; mouse: boolean };
  stop(): void;
}

function markTourSeen(state: string): void {
  mkdirSync(join(state, 'email-ops'), { recursive: true });
  writeFileSync(join(state, 'email-ops', 'tour-seen'), '');
}

let servers = 0;

export function startTmux(options: {
  columns: number;
  rows: number;
  environment: Readonly<Record<string, string>>;
  /** The dashboard then begins with its tour, which takes the first keys. */
  isFirstStart?: boolean;
}): Tmux {
  servers += 1;
  const { XDG_STATE_HOME: state } = options.environment;
  if (state !== undefined && options.isFirstStart !== true) markTourSeen(state);
  const socket = `email-ops-${process.pid}-${servers}`;
  const tmux = (...words: readonly string[]) =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...words], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TMUX: '', ...options.environment },
    });
  const size = ['-x', String(options.columns), '-y', String(options.rows)];
  tmux('new-session', '-d', ...size, 'bash --norc --noprofile -i');
  const screen = () => tmux('capture-pane', '-p').replaceAll(/[ \n]+$/g, '');
  return {
    screen,
    line: (text) => {
      tmux('send-keys', '-l', text);
      tmux('send-keys', 'Enter');
    },
    keys: (...names) => {
      tmux('send-keys', ...names);
    },
    until: async (words, deadlineMs = 15_000) => {
      const until = performance.now() + deadlineMs;
      for (;;) {
        const text = screen();
        if (typeof words === 'string' ? text.includes(words) : words.test(text)) return text;
        if (performance.now() > until) throw new Error(`${words} did not come up on:\n${text}`);
        await delay(50);
      }
    },
    child: () => {
      const shell = tmux('display-message', '-p', '#{pane_pid}').trim();
      return Number(execFileSync('pgrep', ['-P', shell], { encoding: 'utf8' }).trim().split('\n')[0]);
    },
    resize: (columns, rows) => {
      tmux('resize-window', '-x', String(columns), '-y', String(rows));
    },
    modes: () => {
      const [alternate, cursor, mouse] = tmux(
        'display-message',
        '-p',
        '#{alternate_on} #{cursor_flag} #{mouse_any_flag}',
      )
        .trim()
        .split(' ');
      return { alternate: alternate === '1', cursor: cursor === '1', mouse: mouse === '1' };
    },
    stop: () => {
      try {
        tmux('kill-server');
      } catch {
        // gone with its shell
      }
    },
  };
}
