/** Details of one thing as lines: labels on the left, values beside them, wrapped below themselves. Pure. */
import { wrap } from '../../../domain/width.ts';
import { fill, type Line, line, type Role, seg } from '../../line.ts';

export interface Fact {
  readonly label: string;
  /** Cleaned already. Where it is empty the fact is left out. */
  readonly value: string;
  readonly role?: Role;
}

const LABEL_WIDTH = 13;

export function factLines(facts: readonly Fact[], width: number): Line[] {
  return facts
    .filter(({ value }) => value !== '')
    .flatMap(({ label, value, role = 'text' }) =>
      wrap(value, Math.max(10, width - LABEL_WIDTH)).map((text, index) => [
        ...fill(line(seg(index === 0 ? label : '', 'muted')), LABEL_WIDTH),
        seg(text, role),
      ]),
    );
}

export function textLines(text: string, width: number, role: Role = 'text'): Line[] {
  return wrap(text, Math.max(10, width)).map((each) => line(seg(each, role)));
}
