/** Shows on stderr how far the sandbox is with starting: one line redrawn on a terminal, plain lines elsewhere. */
import type { Progress } from '../sandbox/launcher.ts';
import type { Io } from './io.ts';
import { bar, shown } from './render/look.ts';

const BAR_CELLS = 12;

export interface ProgressLine {
  show(progress: Progress): void;
  /** Clears the line, so that what follows starts on a clean one. */
  end(): void;
}

export function progressLine(io: Io, what: string): ProgressLine {
  const { stderr, unicode } = io;
  let isOpen = false;
  let last = '';
  const text = ({ step, done, total }: Progress) => {
    const gauge = stderr.isTty ? `${bar((done / Math.max(1, total)) * 100, BAR_CELLS)} ` : '';
    const line = `${what}: ${gauge}${Math.min(done + 1, total)}/${total} ${step}`;
    return shown([line.slice(0, stderr.columns - 1)], { columns: stderr.columns, colour: false, unicode }).trimEnd();
  };
  return {
    show: (progress) => {
      const line = text(progress);
      if (line === last) return;
      last = line;
      isOpen = stderr.isTty;
      stderr.write(stderr.isTty ? `\r\x1b[K${line}` : `${line}\n`);
    },
    end: () => {
      if (isOpen) stderr.write('\r\x1b[K');
      isOpen = false;
    },
  };
}
