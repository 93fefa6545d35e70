/** What lies over the view and takes the keys: the help, the command line, and forms that ask before something is done. */
import type { ActionRequest } from './actions.ts';
import type { Line } from './line.ts';

export type Dialog =
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'tour'; readonly step: number }
  /** `chosen` of the completions of `asked`; -1 while nothing is chosen. */
  | { readonly kind: 'command'; readonly text: string; readonly chosen: number; readonly asked?: string }
  | Prompt
  | Form;

/** One line to type into, which the view draws itself: it hears of every change, and Esc puts back what was there. */
export interface Prompt {
  readonly kind: 'prompt';
  readonly view: string;
  readonly id: string;
  readonly text: string;
  readonly before: string;
}

/** Asks for values, for a yes, or for both. Without fields `y` and Enter mean yes. */
export interface Form {
  readonly kind: 'form';
  readonly title: string;
  /** What will be done, in lines. */
  readonly explain: readonly Line[];
  readonly fields: readonly Field[];
  /** Index of the field that is typed into. */
  readonly focus: number;
  /** What Enter does, as `pause`, `retry 37 emails`. */
  readonly verb: string;
  readonly isDangerous: boolean;
  readonly purpose: Purpose;
}

/** Who gets the values. */
export type Purpose =
  | { readonly kind: 'pause' }
  | { readonly kind: 'act'; readonly request: ActionRequest }
  /** The view that opened it: it receives `submitted` with this id. */
  | { readonly kind: 'view'; readonly view: string; readonly id: string };

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** What an empty value means. */
  readonly placeholder: string;
  /** The form is only submitted when exactly this is typed: for what cannot be undone. */
  readonly mustBe?: string;
  readonly error?: string;
}

export type FormStep =
  | { readonly kind: 'open'; readonly form: Form }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'submitted'; readonly values: Readonly<Record<string, string>> };

const LONGEST_VALUE = 300;

/** One key in a form. */
export function typeInForm(form: Form, key: string): FormStep {
  if (key === 'escape' || key === 'C-c') return { kind: 'cancelled' };
  if (form.fields.length === 0) return answerKey(form, key);
  if (key === 'enter') return submit(form);
  if (key === 'tab' || key === 'down') return open(form, { focus: (form.focus + 1) % form.fields.length });
  if (key === 'S-tab' || key === 'up')
    return open(form, { focus: (form.focus + form.fields.length - 1) % form.fields.length });
  return withText(form, (text) => edited(text, key));
}

/** Pasted text goes into the field, its line breaks as spaces. */
export function pasteInForm(form: Form, text: string): FormStep {
  return withText(form, (value) => value + printable(text));
}

/** What a key makes of one line of text: it is added, or takes something away at the end. */
export function edited(text: string, key: string): string {
  if (key === 'backspace') return [...text].slice(0, -1).join('');
  if (key === 'C-u') return '';
  if (key === 'C-w') return text.trimEnd().replace(/\S+$/, '');
  if (key === 'space') return `${text} `;
  return [...key].length === 1 ? (text + printable(key)).slice(0, LONGEST_VALUE) : text;
}

export function printable(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ').slice(0, LONGEST_VALUE);
}

function answerKey(form: Form, key: string): FormStep {
  if (key === 'y' || key === 'Y' || key === 'enter') return { kind: 'submitted', values: {} };
  return key === 'n' || key === 'N' || key === 'q' ? { kind: 'cancelled' } : { kind: 'open', form };
}

function submit(form: Form): FormStep {
  const wrong = form.fields.findIndex(({ mustBe, value }) => mustBe !== undefined && value.trim() !== mustBe);
  if (wrong < 0) {
    return {
      kind: 'submitted',
      values: Object.fromEntries(form.fields.map(({ name, value }) => [name, value.trim()])),
    };
  }
  return {
    kind: 'open',
    form: withError({ ...form, focus: wrong }, wrong, `type ${form.fields[wrong]?.mustBe} to go on`),
  };
}

/** The form once more, with what is wrong said beside the field. */
export function withError(form: Form, index: number, error: string): Form {
  return {
    ...form,
    focus: index,
    fields: form.fields.map((field, at) => (at === index ? { ...field, error } : field)),
  };
}

function withText(form: Form, change: (text: string) => string): FormStep {
  const fields = form.fields.map((field, index) => {
    if (index !== form.focus) return field;
    const { error: _, ...rest } = field;
    return { ...rest, value: change(field.value).slice(0, LONGEST_VALUE) };
  });
  return open(form, { fields });
}

function open(form: Form, changes: Partial<Form>): FormStep {
  return { kind: 'open', form: { ...form, ...changes } };
}
