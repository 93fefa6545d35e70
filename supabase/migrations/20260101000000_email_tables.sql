-- The tables and functions as FoodShare deployed them, so that a fresh database is like the real one.
-- On the real deployment this file changes nothing: it creates only what is missing and replaces no function or policy.

-- Two at once take turns.
select pg_advisory_xact_lock(hashtext('email-ops migrations'));

do $roles$
declare
  missing text;
begin
  foreach missing in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = missing) then
      execute format('create role %I nologin noinherit %s', missing, case missing when 'service_role' then 'bypassrls' else '' end);
    end if;
  end loop;
end
$roles$;

create table if not exists public.email_queue (
  id uuid primary key default gen_random_uuid(),
  recipient_id uuid,
  recipient_email text not null,
  email_type text not null,
  template_name text,
  template_data jsonb not null default '{}'::jsonb,
  attempts int not null default 0 check (attempts >= 0),
  max_attempts int not null default 3 check (max_attempts > 0),
  status text not null default 'queued' check (status in ('queued', 'processing', 'failed', 'completed')),
  last_error text,
  next_retry_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint email_queue_email_type_check
    check (email_type in ('auth', 'chat', 'food_listing', 'feedback', 'review_reminder'))
);

create table if not exists public.email_logs (
  id uuid primary key default gen_random_uuid(),
  recipient_id uuid,
  recipient_email text not null,
  email_type text not null,
  subject text,
  provider text not null check (provider in ('resend', 'brevo', 'mailersend', 'aws_ses')),
  provider_message_id text,
  status text not null default 'pending' check (status in ('pending', 'sent', 'delivered', 'failed', 'bounced')),
  error_message text,
  template_data jsonb,
  latency_ms int,
  sent_at timestamptz,
  created_at timestamptz not null default now()
);

create table if not exists public.email_provider_quota (
  id uuid primary key default gen_random_uuid(),
  provider text not null check (provider in ('resend', 'brevo', 'mailersend', 'aws_ses')),
  date date not null default ((now() at time zone 'utc')::date),
  emails_sent int not null default 0 check (emails_sent >= 0),
  daily_limit int not null check (daily_limit > 0),
  monthly_limit int not null default 3000 check (monthly_limit > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (provider, date)
);

create table if not exists public.email_dead_letter_queue (
  id uuid primary key default gen_random_uuid(),
  original_queue_id uuid,
  recipient_id uuid,
  recipient_email text not null,
  email_type text not null,
  template_name text,
  template_data jsonb,
  total_attempts int not null default 0,
  failure_reason text not null,
  last_error text,
  failed_providers text[] default '{}',
  first_attempt_at timestamptz,
  last_attempt_at timestamptz,
  moved_to_dlq_at timestamptz not null default now(),
  metadata jsonb default '{}'::jsonb,
  reviewed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists public.email_circuit_breaker_state (
  provider text primary key,
  state text not null default 'closed' check (state in ('closed', 'open', 'half-open')),
  failures int not null default 0,
  consecutive_successes int not null default 0,
  last_failure_time timestamptz,
  next_retry_time timestamptz,
  updated_at timestamptz not null default now()
);

create table if not exists public.email_provider_health_metrics (
  provider text primary key,
  health_score numeric not null default 100,
  total_requests int not null default 0,
  successful_requests int not null default 0,
  average_latency_ms numeric not null default 0,
  consecutive_failures int not null default 0,
  circuit_state text not null default 'closed'
);

alter table public.email_queue enable row level security;
alter table public.email_logs enable row level security;
alter table public.email_provider_quota enable row level security;
alter table public.email_dead_letter_queue enable row level security;
alter table public.email_circuit_breaker_state enable row level security;
alter table public.email_provider_health_metrics enable row level security;

grant usage on schema public to anon, authenticated, service_role;
grant all on public.email_queue, public.email_logs, public.email_provider_quota, public.email_dead_letter_queue,
  public.email_circuit_breaker_state, public.email_provider_health_metrics to service_role;

-- Each function only where there is none of its name: the deployed one stays as it is.
do $functions$
declare
  created text;
begin
  if not exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = 'queue_email') then
    execute $sql$
      create function public.queue_email(
        p_recipient_id uuid, p_recipient_email text, p_email_type text, p_template_name text, p_template_data jsonb
      ) returns uuid language sql security definer set search_path = '' as $body$
        insert into public.email_queue (recipient_id, recipient_email, email_type, template_name, template_data)
        values (p_recipient_id, p_recipient_email, p_email_type, p_template_name, coalesce(p_template_data, '{}'::jsonb))
        returning id
      $body$
    $sql$;
    created := concat_ws(', ', created, 'public.queue_email');
  end if;

  if not exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = 'get_ready_emails') then
    execute $sql$
      create function public.get_ready_emails(p_limit int default 100)
      returns setof public.email_queue language sql stable security definer set search_path = '' as $body$
        select * from public.email_queue
        where status = 'queued' and (next_retry_at is null or next_retry_at <= now())
        order by created_at
        limit p_limit
      $body$
    $sql$;
    created := concat_ws(', ', created, 'public.get_ready_emails');
  end if;

  if not exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = 'retry_queued_email') then
    execute $sql$
      create function public.retry_queued_email(p_queue_id uuid, p_error_message text)
      returns boolean language plpgsql security definer set search_path = '' as $body$
      begin
        update public.email_queue
        set attempts = attempts + 1,
            last_error = p_error_message,
            status = case when attempts + 1 >= max_attempts then 'failed' else 'queued' end,
            next_retry_at = case
              when attempts + 1 >= max_attempts then null
              when attempts = 0 then now() + interval '15 minutes'
              when attempts = 1 then now() + interval '30 minutes'
              else now() + interval '1 hour'
            end,
            updated_at = now()
        where id = p_queue_id;
        return found;
      end
      $body$
    $sql$;
    created := concat_ws(', ', created, 'public.retry_queued_email');
  end if;

  if not exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = 'increment_provider_quota') then
    execute $sql$
      create function public.increment_provider_quota(
        p_provider text, p_date date default ((now() at time zone 'utc')::date)
      ) returns int language sql security definer set search_path = '' as $body$
        insert into public.email_provider_quota as quota (provider, date, emails_sent, daily_limit, monthly_limit)
        values (
          p_provider, p_date, 1,
          case p_provider when 'resend' then 100 when 'brevo' then 300 when 'mailersend' then 400 else 200 end,
          case p_provider when 'resend' then 3000 when 'brevo' then 9000 when 'mailersend' then 12000 else 62000 end
        )
        on conflict (provider, date) do update set emails_sent = quota.emails_sent + 1, updated_at = now()
        returning emails_sent
      $body$
    $sql$;
    created := concat_ws(', ', created, 'public.increment_provider_quota');
  end if;

  if not exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = 'check_provider_quota') then
    execute $sql$
      create function public.check_provider_quota(
        p_provider text, p_date date default ((now() at time zone 'utc')::date)
      ) returns boolean language sql stable security definer set search_path = '' as $body$
        select coalesce(
          (select quota.emails_sent < quota.daily_limit from public.email_provider_quota quota
           where quota.provider = p_provider and quota.date = p_date),
          true)
      $body$
    $sql$;
    created := concat_ws(', ', created, 'public.check_provider_quota');
  end if;

  if not exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = 'reset_circuit_breaker') then
    execute $sql$
      create function public.reset_circuit_breaker(p_provider text)
      returns void language sql security definer set search_path = '' as $body$
        insert into public.email_circuit_breaker_state as breaker (provider) values (p_provider)
        on conflict (provider) do update
        set state = 'closed', failures = 0, consecutive_successes = 0, last_failure_time = null,
            next_retry_time = null, updated_at = now()
      $body$
    $sql$;
    created := concat_ws(', ', created, 'public.reset_circuit_breaker');
  end if;

  if created is not null then
    execute format('revoke execute on function %s from public, anon, authenticated', created);
    execute format('grant execute on function %s to service_role', created);
  end if;
end
$functions$;
