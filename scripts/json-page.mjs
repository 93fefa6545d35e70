// docs/json.md and docs/json-schemas.json, made from src/commands/json-schemas.
import { z } from 'zod';
import { JSON_SCHEMAS } from '../src/commands/json-schemas/table.ts';

const INTRO = `# JSON

<!-- Made from src/commands/json-schemas by \`npm run docs\`. Change it there. -->

\`--json\` prints one JSON object on one line of stdout, and nothing else; \`watch\` prints one line after the other. What failed is
told on stderr and by the exit code, then stdout may be empty. [json-schemas.json](json-schemas.json) has the same as this page
in [JSON Schema](https://json-schema.org), by command; a test runs every command against it.

- **\`version\`** comes first. It is 1 today, and rises when a field is renamed, retyped, or taken away: ask for it.
- **Fields are added without a new version**, and words to those that are marked \`one of\`: leave alone what you do not know.
- Times are ISO 8601 in UTC. Names and units are those of the source: \`…Ms\` milliseconds, \`…Percent\` 0 to 100.
- Text from outside stands there as it was found: clean it before you put it on a terminal.

`;

const PARTS = `## Parts

What is read from one system is a part of its own, so that one that is down blanks nothing else. Its fields by \`state\`:

| \`state\` | fields | means |
|---|---|---|
| \`ok\` | \`at\`, \`value\` | read |
| \`stale\` | \`at\`, \`value\`, \`error\`, \`failingSince\` | the last read failed; the value is older |
| \`failed\` | \`error\` | never read |

`;

const REST = `## What the webhook is sent (\`EMAIL_WEBHOOK_FORMAT=json\`)

One object a POST, \`content-type: application/json\`. Any 2xx is taken; everything else is tried again later, for as long as it is
news.

| field | what |
|---|---|
| \`version\` | 1 |
| \`event\` | \`alert\` (a new critical alert), \`paused\`, \`resumed\`, \`recovered\` (nothing critical any more, and no new alert for ten minutes) |
| \`level\` | \`critical\`, \`warning\`, \`ok\` |
| \`environment\` | its name, as on screen |
| \`text\` | one line, addresses masked |
| \`at\` | when it happened |
| \`fingerprint\` | of an alert: the same for every repetition, as \`alerts list --json\` has it; else \`null\` |

## Examples

\`\`\`sh
email-ops status --json | jq -r '.verdict.reasons[] | "\\(.level): \\(.text)"'
email-ops status --json | jq '.queue.value.ready'
email-ops watch --json --interval 1m | jq -c '{at: .takenAt, level: .verdict.level, ready: .queue.value.ready}'
\`\`\`
`;

const entries = JSON_SCHEMAS.map(({ commands, schema }) => ({ commands, schema: open(z.toJSONSchema(schema)) }));

/** By command: its JSON Schema. Fields that it does not know are allowed, because they may be added. */
export function jsonSchemas() {
  const byCommand = entries.flatMap(({ commands: [first, ...others], schema: { $schema: _, ...schema } }) => [
    [first, schema],
    ...others.map((command) => [command, { $ref: `#/$defs/${first.replaceAll(' ', '%20')}` }]),
  ]);
  const lines = byCommand.map(([command, schema]) => `${JSON.stringify(command)}:${JSON.stringify(schema)}`);
  return `{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{\n${lines.join(',\n')}\n}}\n`;
}

export function jsonPage() {
  const sections = entries.map(({ commands, schema }) => {
    const title = commands.map((command) => `\`email-ops ${command} --json\``).join(', ');
    const variants = schema.anyOf ?? [schema];
    return variants
      .map((variant) => {
        const heading = variants.length === 1 ? `## ${title}` : `## ${title}: ${variant.description}`;
        return `${heading}\n\n| field | type | what |\n|---|---|---|\n${fieldRows(variant, '').join('\n')}\n`;
      })
      .join('\n');
  });
  const [first, ...others] = sections;
  return `${INTRO}${[first, PARTS.trimEnd(), ...others].join('\n').replaceAll('\n\n\n', '\n\n')}\n${REST}`.replace(
    '| `failed` | `error` | never read |\n##',
    '| `failed` | `error` | never read |\n\n##',
  );
}

function fieldRows({ properties = {}, required = [] }, path) {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const own = `${path}${name}`;
    const about = [
      ...(required.includes(name) ? [] : ['may be absent']),
      ...(schema.description === undefined ? [] : [schema.description]),
    ];
    return [`| \`${own}\` | ${typeOf(schema)} | ${about.join('; ')} |`, ...innerRows(schema, own)];
  });
}

function innerRows(schema, path) {
  if (isPart(schema)) return fieldRows(variantsOf(schema)[0].properties.value, `${path}.value.`);
  if (schema.type === 'array') return innerRows(schema.items, `${path}[]`);
  if (schema.type === 'object' && schema.properties === undefined)
    return innerRows(schema.additionalProperties, `${path}.<name>`);
  const variants = variantsOf(schema);
  if (variants.length < 2) return fieldRows(variants[0] ?? schema, `${path}.`);
  return variants.flatMap((variant) => {
    const [key, known] =
      Object.entries(variant.properties ?? {}).find(([, { const: value }]) => value !== undefined) ?? [];
    const which = key === undefined ? variant.description : `${key}: ${known.const}`;
    const { [key]: _, ...properties } = variant.properties ?? {};
    return fieldRows({ ...variant, properties }, `${path}.`).map((row) => row.replace('` |', `\` (${which}) |`));
  });
}

function typeOf(schema) {
  if (isPart(schema)) return '[part](#parts)';
  const nullable = [schema.type].flat().includes('null') || (schema.anyOf ?? []).some(({ type }) => type === 'null');
  const variants = variantsOf(schema);
  const [only = schema] = variants;
  const words = variants.length > 1 ? unionOf(variants) : plainType(only);
  return nullable ? `${words} or null` : words;
}

function unionOf(variants) {
  const key = Object.entries(variants[0].properties ?? {}).find(([, { const: value }]) => value !== undefined)?.[0];
  return key === undefined
    ? 'object'
    : `object, by its \`${key}\`: ${variants.map(({ properties }) => `\`${properties[key].const}\``).join(', ')}`;
}

function plainType(schema) {
  const type = [schema.type].flat()[0];
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return `one of ${schema.enum.map((word) => `\`${word}\``).join(', ')}`;
  if (schema.format === 'date-time') return 'time';
  if (type === 'array') return `list of ${typeOf(schema.items).replace('object', 'objects')}`;
  if (type === 'string') return schema.format === 'uuid' ? 'UUID' : 'text';
  return { integer: 'whole number', boolean: 'true or false' }[type] ?? type;
}

function variantsOf(schema) {
  return (schema.oneOf ?? schema.anyOf ?? [])
    .filter(({ type }) => type !== 'null')
    .flatMap((variant) => ((variant.oneOf ?? variant.anyOf) ? variantsOf(variant) : [variant]));
}

/** Of three states, of which only the first says what is in it. */
function isPart(schema) {
  return schema.oneOf?.[0]?.properties?.state?.const === 'ok' && schema.oneOf[0].properties.value !== undefined;
}

/** Without bounds that say nothing, and open to fields that are yet to come. */
function open(schema) {
  if (Array.isArray(schema)) return schema.map(open);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(
        ([name, value]) =>
          !(name === 'additionalProperties' && value === false) &&
          !(name === 'maximum' && value === Number.MAX_SAFE_INTEGER) &&
          !(name === 'pattern' && schema.format !== undefined) &&
          name !== 'propertyNames',
      )
      .map(([name, value]) => [name, open(value)]),
  );
}
