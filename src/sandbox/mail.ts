/** The mail that arrives in the sandbox: made up, but of the shapes that FoodShare's programs enqueue. */
import { EMAIL_TYPES, type EmailType } from '../domain/email.ts';

export interface SandboxEmail {
  readonly recipientEmail: string;
  readonly emailType: EmailType;
  readonly templateName: string;
  readonly templateData: { readonly subject: string; readonly html: string; readonly text: string };
}

const SUBJECTS: Readonly<Record<EmailType, readonly string[]>> = {
  auth: ['Your sign-in code', 'Confirm your address', 'Reset your password'],
  chat: ['New message about the sourdough', 'Anna replied to you', 'Пётр написал вам про яблоки'],
  food_listing: ['Fresh vegetables near you 🥕', 'Soup for six, pick up today', '近くで野菜のおすそ分け'],
  feedback: ['How was the pick-up?', 'Thank you for your feedback'],
  review_reminder: ['Leave a review for Marco', 'Two reviews are waiting'],
  newsletter: ['FoodShare weekly: 312 meals saved', 'What your street shared this week'],
  announcement: ['Community fridge opens on Friday'],
  welcome: ['Welcome to FoodShare', 'Welcome! Three things to try first'],
  goodbye: ['Your account was closed'],
  notification: ['Your listing ends tomorrow', 'Pick-up moved to 18:30'],
};

/** Auth and chat are what people wait for, and most of what is sent. */
const WEIGHTS: readonly (readonly [EmailType, number])[] = [
  ['auth', 24],
  ['chat', 26],
  ['food_listing', 16],
  ['notification', 12],
  ['feedback', 6],
  ['review_reminder', 5],
  ['newsletter', 5],
  ['welcome', 4],
  ['announcement', 1],
  ['goodbye', 1],
];

const NAMES = ['anna', 'marco', 'peter', 'lucia', 'sam', 'noor', 'jun', 'ines', 'olek', 'zoe', 'priya', 'tom'] as const;
const DOMAINS = ['example.org', 'example.com', 'example.net'] as const;

/** Few addresses bounce: enough to see what becomes of them, too few to disturb a calm day. */
const BOUNCE_RATE = 0.002;

/** Makes one email. `random` answers numbers in [0, 1), as `Math.random` does. */
export function makeEmail(random: () => number): SandboxEmail {
  const emailType = pickType(random());
  const subject = pick(SUBJECTS[emailType], random());
  const name = random() < BOUNCE_RATE ? 'bounce' : `${pick(NAMES, random())}${Math.floor(random() * 900) + 100}`;
  return {
    recipientEmail: `${name}@${pick(DOMAINS, random())}`,
    emailType,
    templateName: `${emailType}_default`,
    templateData: { subject, html: `<p>${subject}</p>`, text: subject },
  };
}

/** How many of something that happens `expected` times on average happen this time (Poisson, Knuth's product method). */
export function drawCount(expected: number, random: () => number): number {
  // The product underflows for large means; their relative spread is small enough to leave out.
  if (expected > 200) return Math.round(expected);
  const floor = Math.exp(-expected);
  let count = 0;
  for (let product = random(); product > floor; product *= random()) count += 1;
  return count;
}

function pickType(draw: number): EmailType {
  const total = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
  let rest = draw * total;
  for (const [type, weight] of WEIGHTS) {
    rest -= weight;
    if (rest < 0) return type;
  }
  return EMAIL_TYPES[0];
}

function pick<T>(from: readonly [T, ...T[]] | readonly T[], draw: number): T {
  return from[Math.floor(draw * from.length)] as T;
}
