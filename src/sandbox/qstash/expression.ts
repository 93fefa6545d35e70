/** Arithmetic over `retried`, as `Upstash-Retry-Delay` allows it: a recursive-descent parser, nothing is ever evaluated as code. */

/** Computes the value for a number of retries. */
export type RetryExpression = (retried: number) => number;

export class ExpressionError extends Error {
  override name = 'ExpressionError';
}

const FUNCTIONS: Readonly<Record<string, { readonly arity: number | 'any'; of(...values: number[]): number }>> = {
  pow: { arity: 2, of: Math.pow },
  sqrt: { arity: 1, of: Math.sqrt },
  abs: { arity: 1, of: Math.abs },
  exp: { arity: 1, of: Math.exp },
  floor: { arity: 1, of: Math.floor },
  ceil: { arity: 1, of: Math.ceil },
  round: { arity: 1, of: Math.round },
  min: { arity: 'any', of: Math.min },
  max: { arity: 'any', of: Math.max },
};

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([a-z]+)|([-+*/%(),]))/iy;
const MAX_LENGTH = 500;

/** Throws {@link ExpressionError} when the text is not such an expression. */
export function parseExpression(text: string): RetryExpression {
  const tokens = tokenize(text);
  let at = 0;

  const take = (wanted: string): boolean => {
    if (tokens[at] !== wanted) return false;
    at += 1;
    return true;
  };
  const expect = (wanted: string) => {
    if (!take(wanted)) throw new ExpressionError(`expected "${wanted}" before "${tokens[at] ?? 'the end'}"`);
  };

  const chain = (operand: () => RetryExpression, operators: Readonly<Record<string, Operator>>): RetryExpression => {
    let left = operand();
    for (let operator = operators[tokens[at] ?? '']; operator !== undefined; operator = operators[tokens[at] ?? '']) {
      at += 1;
      left = combine(operator, left, operand());
    }
    return left;
  };
  const sum = (): RetryExpression => chain(product, SUM);
  const product = (): RetryExpression => chain(factor, PRODUCT);
  const factor = (): RetryExpression => {
    if (take('-')) {
      const operand = factor();
      return (retried) => -operand(retried);
    }
    if (take('(')) {
      const inner = sum();
      expect(')');
      return inner;
    }
    return atom(tokens[at++]);
  };
  const atom = (token: string | undefined): RetryExpression => {
    if (token === 'retried') return (retried) => retried;
    if (token !== undefined && /^\d/.test(token)) return () => Number(token);
    const called = token === undefined || !Object.hasOwn(FUNCTIONS, token) ? undefined : FUNCTIONS[token];
    if (called === undefined) throw new ExpressionError(`"${token ?? 'the end'}" is not understood`);
    expect('(');
    const values = [sum()];
    while (take(',')) values.push(sum());
    expect(')');
    if (called.arity !== 'any' && called.arity !== values.length) {
      throw new ExpressionError(`${token} takes ${called.arity} values, not ${values.length}`);
    }
    return (retried) => called.of(...values.map((value) => value(retried)));
  };

  const expression = sum();
  if (at < tokens.length) throw new ExpressionError(`"${tokens[at]}" is one too many`);
  return expression;
}

type Operator = (a: number, b: number) => number;

const SUM: Readonly<Record<string, Operator>> = { '+': (a, b) => a + b, '-': (a, b) => a - b };
const PRODUCT: Readonly<Record<string, Operator>> = {
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

function combine(operator: Operator, left: RetryExpression, right: RetryExpression): RetryExpression {
  return (retried) => operator(left(retried), right(retried));
}

function tokenize(text: string): readonly string[] {
  // The length bounds the depth of recursion too.
  if (text.length > MAX_LENGTH) throw new ExpressionError(`longer than ${MAX_LENGTH} characters`);
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null) throw new ExpressionError(`"${source.slice(from).trim().charAt(0)}" is not understood`);
    tokens.push(match[0].trim());
  }
  return tokens;
}
