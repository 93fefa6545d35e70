/** What PostgreSQL really did inside functions: auto_explain tells the plans of their inner statements, which EXPLAIN hides. */
import postgres from 'postgres';

export interface Scan {
  /** 'Seq Scan', 'Index Only Scan' … */
  readonly kind: string;
  readonly table: string;
  readonly index: string | null;
  /** Rows that were read, those filtered out included, over all loops. */
  readonly rowsRead: number;
}

export interface Explained {
  readonly durationMs: number;
  readonly scans: readonly Scan[];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Runs a statement and answers every table scan in it and in the functions it calls. `url` is a superuser's. */
export async function explain(url: string, statement: string): Promise<Explained> {
  const plans: PlanNode[] = [];
  const sql = postgres(url, {
    max: 1,
    onnotice: (notice) => {
      const json = /plan:\s*(\{[\s\S]*\})\s*$/.exec(notice.message ?? '')?.[1];
      if (json !== undefined) plans.push(JSON.parse(json).Plan);
    },
  });
  try {
    await sql.unsafe(`
      load 'auto_explain';
      set auto_explain.log_min_duration = 0;
      set auto_explain.log_nested_statements = on;
      set auto_explain.log_analyze = on;
      set auto_explain.log_timing = off;
      set auto_explain.log_format = json;
      set client_min_messages = log;`);
    plans.length = 0;
    const startedMs = performance.now();
    await sql.unsafe(statement);
    return { durationMs: performance.now() - startedMs, scans: plans.flatMap(scansOf) };
  } finally {
    await sql.end();
  }
}

function scansOf(node: PlanNode): Scan[] {
  const below = (node.Plans ?? []).flatMap(scansOf);
  const table = node['Relation Name'];
  // A bitmap's index names no table; the heap scan above it does.
  if (table === undefined || !node['Node Type'].endsWith('Scan')) return below;
  const rowsALoop =
    (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const rowsRead = rowsALoop * (node['Actual Loops'] ?? 1);
  return [{ kind: node['Node Type'], table, index: node['Index Name'] ?? null, rowsRead }, ...below];
}
