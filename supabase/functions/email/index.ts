// The email function's entry on Supabase: the platform's environment and server, and nothing else. Everything is in
// src/email-function; `supabase functions deploy email` uploads what is imported from there. docs/deploying.md tells the secrets.
import { createDeployedFunction } from '../../../src/email-function/deployed.ts';

Deno.serve(
  createDeployedFunction({
    read: (name) => Deno.env.get(name),
    // biome-ignore lint/suspicious/noConsole: the platform keeps what is written to the console, and nothing else
    log: (line) => console.info(line),
  }),
);
