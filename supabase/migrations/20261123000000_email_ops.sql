-- What email-ops adds to the deployed tables: leases on queue rows, idempotency keys, indexes, counters and the functions that
-- workers and the console call. Additive and idempotent; legacy workers keep working beside it.
--
-- A queue row's life: queued -> processing (claimed: locked_by, locked_until) -> completed, or queued again with next_retry_at,
-- or failed with a row in email_dead_letter_queue. A row whose lease has run out may be claimed by anybody. 'processing' without
-- locked_until belongs to a legacy worker and is left alone.
--
-- Every function answers one jsonb value (PostgREST cuts sets at 1,000 rows), runs with the owner's rights and a fixed
-- search_path, and may be executed by service_role only. Functions that read the queue switch sequential scans off: a queue's
-- statistics are stale by nature, and a plan made for an empty table is a disaster on a full one. The planner expresses 'off' as a
-- huge cost, which would start the JIT compiler (0.7 s), so that is off as well.

-- Two at once take turns.
select pg_advisory_xact_lock(hashtext('email-ops migrations'));

-- Columns -------------------------------------------------------------------------------------------------------------------

alter table public.email_queue add column if not exists locked_by text;
alter table public.email_queue add column if not exists locked_until timestamptz;
alter table public.email_queue add column if not exists enqueue_key text;
alter table public.email_logs add column if not exists queue_id uuid;
alter table public.email_logs add column if not exists attempt_key text;

comment on column public.email_queue.locked_by is 'The worker that holds the lease while status is processing';
comment on column public.email_queue.locked_until is 'End of the lease, database time; afterwards the row may be claimed again';
comment on column public.email_queue.enqueue_key is 'Idempotency key of the enqueuer: the same key is enqueued once';
comment on column public.email_logs.queue_id is 'The queue row that this delivery attempt belongs to';
comment on column public.email_logs.attempt_key is '<queue id>:<attempt>, so that a repeated report is logged once';

-- The deployed check knows five email types; newer programs use ten. Replaced only where it is the narrow one.
do $types$
declare
  narrow record;
begin
  for narrow in
    select conrelid::regclass as relation, conname
    from pg_constraint
    where contype = 'c'
      and conrelid in ('public.email_queue'::regclass, 'public.email_logs'::regclass, 'public.email_dead_letter_queue'::regclass)
      and pg_get_constraintdef(oid) like '%email_type%review_reminder%'
      and pg_get_constraintdef(oid) not like '%newsletter%'
  loop
    execute format('alter table %s drop constraint %I', narrow.relation, narrow.conname);
    execute format(
      'alter table %s add constraint %I check (email_type in (''auth'', ''chat'', ''food_listing'', ''feedback'', '
        '''review_reminder'', ''newsletter'', ''announcement'', ''welcome'', ''goodbye'', ''notification'')) not valid',
      narrow.relation, narrow.conname);
  end loop;
end
$types$;

-- Indexes -------------------------------------------------------------------------------------------------------------------

-- Ready rows are two kinds, so that waiting retries are never waded through: never delayed, in order of age …
create index if not exists email_queue_undelayed_idx on public.email_queue (created_at, id)
  where status = 'queued' and next_retry_at is null;
-- … and delayed, in order of falling due.
create index if not exists email_queue_delayed_idx on public.email_queue (next_retry_at, created_at, id)
  where status = 'queued' and next_retry_at is not null;
create index if not exists email_queue_leases_idx on public.email_queue (locked_until, created_at, id)
  where status = 'processing' and locked_until is not null;
create index if not exists email_queue_processing_idx on public.email_queue (updated_at) where status = 'processing';
create index if not exists email_queue_completed_idx on public.email_queue (updated_at) where status = 'completed';
create index if not exists email_queue_status_idx on public.email_queue (status, created_at);
create index if not exists email_queue_suspects_idx on public.email_queue (created_at, id)
  where status in ('queued', 'processing') and attempts >= max_attempts;
create unique index if not exists email_queue_enqueue_key_idx on public.email_queue (enqueue_key)
  where enqueue_key is not null;

create index if not exists email_logs_recent_idx on public.email_logs (created_at) include (provider, status, latency_ms);
create index if not exists email_logs_queue_idx on public.email_logs (queue_id) where queue_id is not null;
create unique index if not exists email_logs_attempt_key_idx on public.email_logs (attempt_key)
  where attempt_key is not null;

create index if not exists email_dead_letter_queue_original_idx on public.email_dead_letter_queue (original_queue_id);
create index if not exists email_dead_letter_queue_moved_idx on public.email_dead_letter_queue (moved_to_dlq_at);
create index if not exists email_dead_letter_queue_unreviewed_idx on public.email_dead_letter_queue (moved_to_dlq_at)
  where reviewed_at is null;

-- Leases of rows that others let go --------------------------------------------------------------------------------------------
-- Legacy workers change status and know nothing of leases. A lease left behind would later look like one that ran out, and the row
-- be claimed while a legacy worker sends it.

create or replace function public.email_ops_drop_lease()
returns trigger language plpgsql security definer set search_path = '' as $$
begin
  new.locked_by := null;
  new.locked_until := null;
  return new;
end
$$;

create or replace trigger email_ops_drop_lease before update on public.email_queue
  for each row when (old.status = 'processing' and new.status <> 'processing' and new.locked_until is not null)
  execute function public.email_ops_drop_lease();

-- Counters ------------------------------------------------------------------------------------------------------------------
-- A count is the sum of its rows. Writers only add rows, so they never wait for each other; rows are folded together now and
-- then. `name` is 'undelayed' or 'delayed' (queued), another status, or 'enqueued' per five-minute `bucket`.

create table if not exists public.email_ops_counters (
  id bigint generated always as identity primary key,
  name text not null,
  bucket timestamptz,
  delta bigint not null
);
alter table public.email_ops_counters enable row level security;
revoke all on public.email_ops_counters from anon, authenticated;

create or replace function public.email_ops_counter_name(p_status text, p_next_retry_at timestamptz)
returns text language sql immutable set search_path = '' as $$
  select case when p_status <> 'queued' then p_status when p_next_retry_at is null then 'undelayed' else 'delayed' end
$$;

create or replace function public.email_ops_bucket(p_at timestamptz)
returns timestamptz language sql immutable set search_path = '' as $$
  select date_bin('5 minutes', p_at, timestamptz '2000-01-01 00:00:00+00')
$$;

create or replace function public.email_ops_fold_counters()
returns void language sql security definer set search_path = '' as $$
  with taken as (
    delete from public.email_ops_counters
    where id in (select id from public.email_ops_counters order by id limit 10000 for update skip locked)
    returning name, bucket, delta
  )
  insert into public.email_ops_counters (name, bucket, delta)
  select name, bucket, sum(delta) from taken
  where bucket is null or bucket > now() - interval '1 day'
  group by name, bucket
  having sum(delta) <> 0
$$;

-- Deliveries in the same way, per five minutes and provider, for a day: a busy day has more logs than a glance can count.
create table if not exists public.email_ops_deliveries (
  id bigint generated always as identity primary key,
  bucket timestamptz not null,
  provider text not null,
  sent bigint not null,
  failed bigint not null
);
alter table public.email_ops_deliveries enable row level security;
revoke all on public.email_ops_deliveries from anon, authenticated;

create or replace function public.email_ops_fold_deliveries()
returns void language sql security definer set search_path = '' as $$
  with taken as (
    delete from public.email_ops_deliveries
    where id in (select id from public.email_ops_deliveries order by id limit 10000 for update skip locked)
    returning bucket, provider, sent, failed
  )
  insert into public.email_ops_deliveries (bucket, provider, sent, failed)
  select bucket, provider, sum(sent), sum(failed) from taken
  where bucket > now() - interval '25 hours'
  group by bucket, provider
  having sum(sent) <> 0 or sum(failed) <> 0
$$;

create or replace function public.email_ops_count_deliveries()
returns trigger language plpgsql security definer set search_path = '' as $$
declare
  is_fold_due boolean;
begin
  if tg_op = 'TRUNCATE' then
    truncate public.email_ops_deliveries;
    return null;
  end if;

  if tg_op = 'INSERT' then
    with added as (
      insert into public.email_ops_deliveries (bucket, provider, sent, failed)
      select bucket, provider, sum(sent), sum(failed) from (
        select public.email_ops_bucket(created_at) as bucket, provider,
          (status in ('sent', 'delivered'))::int as sent, (status in ('failed', 'bounced'))::int as failed
        from arrived
        where created_at between now() - interval '25 hours' and now() + interval '1 hour'
      ) as change
      group by bucket, provider having sum(sent) <> 0 or sum(failed) <> 0
      returning id
    )
    select bool_or(id % 256 = 0) into is_fold_due from added;
  elsif tg_op = 'DELETE' then
    with added as (
      insert into public.email_ops_deliveries (bucket, provider, sent, failed)
      select bucket, provider, -sum(sent), -sum(failed) from (
        select public.email_ops_bucket(created_at) as bucket, provider,
          (status in ('sent', 'delivered'))::int as sent, (status in ('failed', 'bounced'))::int as failed
        from gone
        where created_at between now() - interval '25 hours' and now() + interval '1 hour'
      ) as change
      group by bucket, provider having sum(sent) <> 0 or sum(failed) <> 0
      returning id
    )
    select bool_or(id % 256 = 0) into is_fold_due from added;
  else
    with added as (
      insert into public.email_ops_deliveries (bucket, provider, sent, failed)
      select bucket, provider, sum(sign * sent), sum(sign * failed) from (
        select public.email_ops_bucket(created_at) as bucket, provider, sign,
          (status in ('sent', 'delivered'))::int as sent, (status in ('failed', 'bounced'))::int as failed
        from (
          select created_at, provider, status, 1 as sign from arrived
          union all
          select created_at, provider, status, -1 from gone
        ) as changed
        where created_at between now() - interval '25 hours' and now() + interval '1 hour'
      ) as change
      group by bucket, provider having sum(sign * sent) <> 0 or sum(sign * failed) <> 0
      returning id
    )
    select bool_or(id % 256 = 0) into is_fold_due from added;
  end if;

  if is_fold_due and current_setting('transaction_isolation') = 'read committed' then
    perform public.email_ops_fold_deliveries();
  end if;
  return null;
end
$$;

create or replace function public.email_ops_count_queue()
returns trigger language plpgsql security definer set search_path = '' as $$
declare
  is_fold_due boolean;
begin
  if tg_op = 'TRUNCATE' then
    truncate public.email_ops_counters;
    return null;
  end if;

  if tg_op = 'INSERT' then
    with added as (
      insert into public.email_ops_counters (name, bucket, delta)
      select public.email_ops_counter_name(status, next_retry_at), null, count(*) from arrived group by 1
      union all
      select 'enqueued', public.email_ops_bucket(created_at), count(*) from arrived
      where created_at between now() - interval '1 day' and now() + interval '1 hour' group by 2
      returning id
    )
    select bool_or(id % 256 = 0) into is_fold_due from added;
  elsif tg_op = 'DELETE' then
    with added as (
      insert into public.email_ops_counters (name, delta)
      select public.email_ops_counter_name(status, next_retry_at), -count(*) from gone group by 1
      returning id
    )
    select bool_or(id % 256 = 0) into is_fold_due from added;
  else
    with added as (
      insert into public.email_ops_counters (name, delta)
      select name, sum(n) from (
        select public.email_ops_counter_name(status, next_retry_at) as name, count(*) as n from arrived group by 1
        union all
        select public.email_ops_counter_name(status, next_retry_at), -count(*) from gone group by 1
      ) as change
      group by name
      having sum(n) <> 0
      returning id
    )
    select bool_or(id % 256 = 0) into is_fold_due from added;
  end if;

  -- Folding under a fixed snapshot could fail the writer's transaction; the next one folds.
  if is_fold_due and current_setting('transaction_isolation') = 'read committed' then
    perform public.email_ops_fold_counters();
  end if;
  return null;
end
$$;

-- Counts anew. Needed once, and after changes that bypass triggers (a restore, session_replication_role).
create or replace function public.email_ops_recount()
returns jsonb language plpgsql security definer set search_path = '' as $$
begin
  lock table public.email_queue, public.email_logs in share row exclusive mode;
  truncate public.email_ops_counters, public.email_ops_deliveries;
  insert into public.email_ops_deliveries (bucket, provider, sent, failed)
  select public.email_ops_bucket(created_at), provider,
    count(*) filter (where status in ('sent', 'delivered')), count(*) filter (where status in ('failed', 'bounced'))
  from public.email_logs
  where created_at between now() - interval '25 hours' and now() + interval '1 hour'
  group by 1, 2;
  insert into public.email_ops_counters (name, bucket, delta)
  select public.email_ops_counter_name(status, next_retry_at), null, count(*) from public.email_queue group by 1
  union all
  select 'enqueued', public.email_ops_bucket(created_at), count(*) from public.email_queue
  where created_at between now() - interval '1 day' and now() + interval '1 hour' group by 2;
  return (
    select coalesce(jsonb_object_agg(name, delta), '{}'::jsonb) from public.email_ops_counters where bucket is null
  );
end
$$;

do $triggers$
begin
  if not exists (select from pg_trigger where tgrelid = 'public.email_logs'::regclass and tgname = 'email_ops_count_truncate') then
    create trigger email_ops_count_insert after insert on public.email_logs
      referencing new table as arrived for each statement execute function public.email_ops_count_deliveries();
    create trigger email_ops_count_update after update on public.email_logs
      referencing old table as gone new table as arrived for each statement execute function public.email_ops_count_deliveries();
    create trigger email_ops_count_delete after delete on public.email_logs
      referencing old table as gone for each statement execute function public.email_ops_count_deliveries();
    create trigger email_ops_count_truncate after truncate on public.email_logs
      for each statement execute function public.email_ops_count_deliveries();
    perform public.email_ops_recount();
  end if;
  if exists (select from pg_trigger where tgrelid = 'public.email_queue'::regclass and tgname = 'email_ops_count_truncate') then
    return;
  end if;
  create trigger email_ops_count_insert after insert on public.email_queue
    referencing new table as arrived for each statement execute function public.email_ops_count_queue();
  create trigger email_ops_count_update after update on public.email_queue
    referencing old table as gone new table as arrived for each statement execute function public.email_ops_count_queue();
  create trigger email_ops_count_delete after delete on public.email_queue
    referencing old table as gone for each statement execute function public.email_ops_count_queue();
  create trigger email_ops_count_truncate after truncate on public.email_queue
    for each statement execute function public.email_ops_count_queue();
  perform public.email_ops_recount();
end
$triggers$;

-- Parts that the functions below share --------------------------------------------------------------------------------------

create or replace function public.email_ops_version()
returns int language sql immutable security definer set search_path = '' as $$ select 1 $$;

create or replace function public.email_ops_known_limits(p_provider text, out daily int, out monthly int)
returns record language sql immutable set search_path = '' as $$
  select limits.daily, limits.monthly
  from (values ('resend', 100, 3000), ('brevo', 300, 9000), ('mailersend', 400, 12000), ('aws_ses', 200, 62000))
    as limits (provider, daily, monthly)
  where limits.provider = p_provider
$$;

-- The delay before the next try, by attempts made: 15 min, 30 min, then hourly (DESIGN §6.8).
create or replace function public.email_ops_retry_delay(p_attempts int)
returns interval language sql immutable set search_path = '' as $$
  select case when p_attempts <= 1 then interval '15 minutes' when p_attempts = 2 then interval '30 minutes' else interval '1 hour' end
$$;

-- True when a delivery of this round went out, whoever reported it. (A later round's keys are free of '/'; see begin_again.)
create or replace function public.email_ops_was_sent(p_queue_id uuid)
returns boolean language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.email_logs log
    where log.queue_id = p_queue_id and log.status in ('sent', 'delivered') and log.attempt_key not like '%/%')
$$;

-- Writes dead letters for queue rows that the caller has locked, and marks the rows failed.
-- p_rows: [{"id", "reason", "error"?, "providers"?: [text]}]
create or replace function public.email_ops_bury(p_rows jsonb, p_reviewed boolean)
returns void language sql security definer set search_path = '' as $$
  with buried as (
    update public.email_queue queue
    set status = 'failed', locked_by = null, locked_until = null, next_retry_at = null, updated_at = now(),
        last_error = coalesce(fate.error, queue.last_error)
    from jsonb_to_recordset(p_rows) as fate (id uuid, reason text, error text, providers text[])
    where queue.id = fate.id
    returning queue.*, fate.reason, fate.providers
  )
  insert into public.email_dead_letter_queue (
    original_queue_id, recipient_id, recipient_email, email_type, template_name, template_data, total_attempts,
    failure_reason, last_error, failed_providers, first_attempt_at, last_attempt_at, moved_to_dlq_at, reviewed_at
  )
  select
    buried.id, recipient_id, recipient_email, email_type, template_name, template_data, attempts,
    reason, last_error,
    array(
      select provider from public.email_logs log where log.queue_id = buried.id and log.status in ('failed', 'bounced')
      union
      select provider from unnest(providers) as provider
      order by 1
    ),
    (select min(log.created_at) from public.email_logs log where log.queue_id = buried.id),
    now(), now(), case when p_reviewed then now() end
  from buried
$$;

-- Claiming ------------------------------------------------------------------------------------------------------------------

-- Hands out up to p_limit (1..500) ready rows, oldest first, leased to p_worker for p_lease_seconds (1..86400) and with their
-- attempt counted: a jsonb array of full rows. Two callers never get the same row.
--
-- A row that takes down every worker that touches it takes its neighbours' leases along, and nobody can tell which of them it
-- was. So a row whose lease has run out at its last attempt is a suspect: it gets one more attempt, alone, by a worker that holds
-- nothing else. Only what takes its worker down alone goes to the dead letters.
create or replace function public.claim_emails(p_worker text, p_limit int, p_lease_seconds int)
returns jsonb language plpgsql security definer
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  poisoned jsonb;
  claimed jsonb;
begin
  if coalesce(p_worker, '') = '' then
    raise exception 'claim_emails: p_worker is empty' using errcode = '22023', hint = 'Pass the name of the worker.';
  end if;

  -- What went out before its lease was lost a second time is not handed out a third time.
  with sent as (
    select id from public.email_queue
    where status = 'processing' and locked_until < now() and public.email_ops_was_sent(id)
    order by locked_until limit 500 for update skip locked
  )
  update public.email_queue queue
  set status = 'completed', locked_by = null, locked_until = null, last_error = null, updated_at = now()
  from sent where queue.id = sent.id;

  select jsonb_agg(jsonb_build_object('id', id, 'reason', 'lease expired at the last attempt')) into poisoned
  from (
    select id from public.email_queue
    where status = 'processing' and locked_until < now() and attempts > max_attempts
    order by locked_until limit 500 for update skip locked
  ) as expired;
  if poisoned is not null then
    perform public.email_ops_bury(poisoned, false);
  end if;

  if exists (
    select from public.email_queue
    where status in ('queued', 'processing') and attempts >= max_attempts
      and case status when 'queued' then coalesce(next_retry_at, now()) <= now() else locked_until < now() end
  ) and not exists (select from public.email_queue where status = 'processing' and locked_by = p_worker) then
    with suspect as (
      select id from public.email_queue
      where status in ('queued', 'processing') and attempts >= max_attempts
        and case status when 'queued' then coalesce(next_retry_at, now()) <= now() else locked_until < now() end
      order by created_at, id limit 1 for update skip locked
    ), leased as (
      update public.email_queue queue
      set status = 'processing', locked_by = p_worker,
          locked_until = clock_timestamp() + make_interval(secs => least(greatest(coalesce(p_lease_seconds, 300), 1), 86400)),
          attempts = least(queue.attempts, 2147483646) + 1, next_retry_at = null, updated_at = now()
      from suspect where queue.id = suspect.id
      returning queue.*
    )
    select jsonb_agg(to_jsonb(leased)) into claimed from leased;
    if claimed is not null then
      return claimed;
    end if;
  end if;

  -- The three kinds of claimable rows, each read in index order. Of the delayed ones the 10,000 longest due are considered,
  -- which bounds the sort. They are locked one by one until there are enough (lateral: a join could be planned to lock or read
  -- them all), and what makes a row claimable is asked again of the locked row, because it may have changed meanwhile.
  with locked as (
    select held.id
    from (
      select id, created_at from (
        (select id, created_at from public.email_queue
         where status = 'queued' and next_retry_at is null
         order by created_at, id)
        union all
        (select id, created_at from public.email_queue
         where status = 'queued' and next_retry_at is not null and next_retry_at <= now()
         order by next_retry_at limit 10000)
        union all
        (select id, created_at from public.email_queue
         where status = 'processing' and locked_until is not null and locked_until < now()
         order by locked_until limit 10000)
      ) as claimable
      order by created_at, id
    ) as oldest
    cross join lateral (
      select queue.id from public.email_queue queue
      where queue.id = oldest.id
        and queue.attempts < queue.max_attempts
        and ((queue.status = 'queued' and (queue.next_retry_at is null or queue.next_retry_at <= now()))
          or (queue.status = 'processing' and queue.locked_until < now()))
      for update skip locked
    ) as held
    limit least(greatest(coalesce(p_limit, 100), 1), 500)
  ), leased as (
    update public.email_queue queue
    set status = 'processing',
        locked_by = p_worker,
        locked_until = clock_timestamp() + make_interval(secs => least(greatest(coalesce(p_lease_seconds, 300), 1), 86400)),
        attempts = least(queue.attempts, 2147483646) + 1,
        next_retry_at = null,
        updated_at = now()
    from locked
    where queue.id = locked.id
    returning queue.*
  )
  select coalesce(jsonb_agg(to_jsonb(leased) order by created_at, id), '[]'::jsonb) into claimed from leased;
  return claimed;
end
$$;

-- Extends the leases that p_worker still holds; answers their ids. What is missing from the answer is no longer the worker's.
create or replace function public.renew_leases(p_worker text, p_ids uuid[], p_lease_seconds int)
returns jsonb language sql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
  with mine as (
    select id from public.email_queue
    where id = any (p_ids) and status = 'processing' and locked_by = p_worker
    order by id for update
  ), renewed as (
    update public.email_queue queue
    set locked_until = clock_timestamp() + make_interval(secs => least(greatest(coalesce(p_lease_seconds, 300), 1), 86400))
    from mine where queue.id = mine.id
    returning queue.id
  )
  select coalesce(jsonb_agg(id order by id), '[]'::jsonb) from renewed
$$;

-- Gives back what p_worker did not send, without costing an attempt; answers the ids given back. What an earlier holder reported
-- sent meanwhile is completed instead.
create or replace function public.release_emails(
  p_worker text, p_ids uuid[], p_retry_at timestamptz default null, p_note text default null
) returns jsonb language sql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
  with mine as (
    select id from public.email_queue
    where id = any (p_ids) and status = 'processing' and locked_by = p_worker
    order by id for update
  ), known as (
    select id, public.email_ops_was_sent(id) as is_sent from mine
  ), released as (
    update public.email_queue queue
    set status = case when is_sent then 'completed' else 'queued' end,
        attempts = greatest(queue.attempts - 1, 0),
        locked_by = null, locked_until = null,
        next_retry_at = case when not is_sent then p_retry_at end,
        last_error = case when not is_sent then coalesce(p_note, queue.last_error) end,
        updated_at = now()
    from known where queue.id = known.id
    returning queue.id
  )
  select coalesce(jsonb_agg(id order by id), '[]'::jsonb) from released
$$;

-- Finishing -----------------------------------------------------------------------------------------------------------------

-- What became of one attempt, as a worker reports it. `place` is where it stood in the call, `fault` why it cannot be used.
do $$ begin
  create type public.email_ops_result as (
    place bigint, id uuid, attempt int, outcome text, provider text, message_id text, latency_ms int,
    error text, reason text, failed_providers text[], fault text
  );
exception when duplicate_object then null;
end $$;

-- The elements of finish_emails' p_results as rows, the first of each id and attempt. Unreadable fields are null; `fault` says
-- why an element cannot be used. An earlier version answered with rows of no type.
drop function if exists public.email_ops_parse_results(jsonb);
create function public.email_ops_parse_results(p_results jsonb) returns setof public.email_ops_result
language sql immutable set search_path = '' as $$
  with elements as (
    select ordinality - 1 as place, value as result
    from jsonb_array_elements(case jsonb_typeof(p_results) when 'array' then p_results else '[]'::jsonb end) with ordinality
  ), fields as (
    select
      place,
      case when result->>'id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (result->>'id')::uuid end as id,
      case when jsonb_typeof(result->'attempt') = 'number'
        then least(greatest((result->>'attempt')::numeric, 0), 2147483647)::int end as attempt,
      result->>'outcome' as outcome,
      case when result->>'provider' in ('resend', 'brevo', 'mailersend', 'aws_ses') then result->>'provider' end as provider,
      left(result->>'messageId', 1000) as message_id,
      case when jsonb_typeof(result->'latencyMs') = 'number'
        then least(greatest((result->>'latencyMs')::numeric, 0), 2147483647)::int end as latency_ms,
      left(result->>'error', 5000) as error,
      left(result->>'reason', 1000) as reason,
      array(
        select left(name, 100)
        from jsonb_array_elements_text(
          case jsonb_typeof(result->'failedProviders') when 'array' then result->'failedProviders' else '[]'::jsonb end) as name
        where name is not null
      ) as failed_providers
    from elements
  ), judged as (
    select *, case
      when id is null then 'id is not a UUID'
      when attempt is null then 'attempt is not a number'
      when outcome is null or outcome not in ('sent', 'retry', 'discard') then 'outcome is none of sent, retry, discard'
    end as fault
    from fields
  )
  select distinct on (coalesce(id::text, place::text), attempt) judged.*
  from judged
  order by coalesce(id::text, place::text), attempt, place
$$;

-- Writes the results of sends in one transaction. Queue rows change only while p_worker holds them at that attempt (fencing);
-- deliveries are logged and counted once whoever holds the row, because they did happen. So a repeated call changes nothing.
-- Answers {"applied": [ids], "notOurs": [ids], "deadLettered": [ids], "rejected": [{"index", "reason"}]}.
create or replace function public.finish_emails(p_worker text, p_results jsonb)
returns jsonb language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  results public.email_ops_result[];
  ours uuid[];
  buried jsonb;
  answer jsonb;
begin
  if coalesce(p_worker, '') = '' then
    raise exception 'finish_emails: p_worker is empty' using errcode = '22023', hint = 'Pass the name that claimed the rows.';
  end if;
  if p_results is null or jsonb_typeof(p_results) <> 'array' then
    raise exception 'finish_emails: p_results is not an array' using errcode = '22023', hint = 'Pass a JSON array of results.';
  end if;

  -- Read once: reading them anew in each statement below took a third of the time.
  results := array(select result from public.email_ops_parse_results(p_results) result);

  -- Locked in order of id, as everywhere, so that two callers cannot deadlock.
  perform queue.id from public.email_queue queue
  where queue.id in (select result.id from unnest(results) result where result.fault is null)
  order by queue.id for update;

  select coalesce(array_agg(queue.id), '{}') into ours
  from public.email_queue queue
  join unnest(results) result on result.id = queue.id and result.fault is null
  where queue.status = 'processing' and queue.locked_by = p_worker and queue.attempts = result.attempt;

  with delivered as (
    insert into public.email_logs (
      recipient_id, recipient_email, email_type, subject, provider, provider_message_id, status, error_message,
      latency_ms, sent_at, queue_id, attempt_key
    )
    select
      queue.recipient_id, queue.recipient_email, queue.email_type, queue.template_data->>'subject', result.provider,
      result.message_id, case result.outcome when 'sent' then 'sent' else 'failed' end, result.error,
      result.latency_ms, case result.outcome when 'sent' then now() end, queue.id, queue.id || ':' || result.attempt
    from unnest(results) result
    join public.email_queue queue on queue.id = result.id
    where result.fault is null and result.provider is not null
      -- The same message id is the same delivery, which the provider recognised by the email's key: sent and counted once.
      and not (result.outcome = 'sent' and exists (
        select from public.email_logs known
        where known.queue_id = queue.id and known.status = 'sent' and known.provider = result.provider
          and known.provider_message_id = result.message_id))
    order by queue.id, result.attempt
    on conflict (attempt_key) where attempt_key is not null do nothing
    returning provider, status
  )
  insert into public.email_provider_quota as quota (provider, date, emails_sent, daily_limit, monthly_limit)
  select
    delivered.provider, (now() at time zone 'utc')::date, count(*),
    coalesce(latest.daily_limit, known.daily), coalesce(latest.monthly_limit, known.monthly)
  from delivered
  cross join lateral public.email_ops_known_limits(delivered.provider) known
  left join lateral (
    select daily_limit, monthly_limit from public.email_provider_quota
    where provider = delivered.provider and date <= (now() at time zone 'utc')::date order by date desc limit 1
  ) latest on true
  where delivered.status = 'sent'
  group by 1, 4, 5
  order by 1
  on conflict (provider, date) do update set emails_sent = quota.emails_sent + excluded.emails_sent, updated_at = now();

  -- Completed is what its holder sent, and what went out in spite of a lost lease once nobody holds it: else it would be sent twice,
  -- by the next claimer or by whoever redrives its dead letter. The first report of an attempt counts.
  with completed as (
    update public.email_queue queue
    set status = 'completed', locked_by = null, locked_until = null, next_retry_at = null, last_error = null, updated_at = now()
    from unnest(results) result
    where result.id = queue.id and result.fault is null and case
        when queue.id = any (ours) then result.outcome = 'sent' or public.email_ops_was_sent(queue.id)
        else result.outcome = 'sent' and queue.status in ('queued', 'failed')
          and (result.provider is null or public.email_ops_was_sent(queue.id))
      end
    returning queue.id
  )
  update public.email_dead_letter_queue letter
  set reviewed_at = now(), updated_at = now(),
      metadata = coalesce(letter.metadata, '{}'::jsonb) || jsonb_build_object('resolved', 'it had been sent after all')
  from completed
  where letter.original_queue_id = completed.id and letter.reviewed_at is null;

  select jsonb_agg(jsonb_build_object(
    'id', queue.id,
    'reason', case result.outcome when 'discard' then coalesce(result.reason, 'not deliverable') else 'all attempts used' end,
    'error', coalesce(result.error, result.reason),
    'providers', to_jsonb(array_remove(result.failed_providers || result.provider, null))
  )) into buried
  from unnest(results) result
  join public.email_queue queue on queue.id = result.id
  where result.id = any (ours) and queue.status = 'processing' and queue.attempts = result.attempt
    and (result.outcome = 'discard' or (result.outcome = 'retry' and queue.attempts >= queue.max_attempts));
  if buried is not null then
    perform public.email_ops_bury(buried, false);
  end if;

  update public.email_queue queue
  set status = 'queued', locked_by = null, locked_until = null,
      next_retry_at = now() + public.email_ops_retry_delay(queue.attempts),
      last_error = coalesce(result.error, result.reason, queue.last_error), updated_at = now()
  from unnest(results) result
  where result.id = queue.id and result.id = any (ours) and queue.status = 'processing'
    and result.outcome = 'retry' and queue.attempts = result.attempt;

  select jsonb_build_object(
    'applied', coalesce(jsonb_agg(distinct result.id) filter (where result.fault is null and result.id = any (ours)), '[]'),
    'notOurs', coalesce(jsonb_agg(distinct result.id) filter (where result.fault is null and result.id <> all (ours)), '[]'),
    'deadLettered', coalesce((select jsonb_agg(letter->'id') from jsonb_array_elements(buried) letter), '[]'),
    'rejected', coalesce(
      jsonb_agg(jsonb_build_object('index', result.place, 'reason', result.fault)) filter (where result.fault is not null), '[]')
  ) into answer
  from unnest(results) result;
  return answer;
end
$$;

-- What operators do ---------------------------------------------------------------------------------------------------------

-- Why an operator may not touch a row now, or null. A legacy worker's row counts as abandoned after 15 minutes.
create or replace function public.email_ops_untouchable(p_queue public.email_queue)
returns text language sql stable set search_path = '' as $$
  select case
    when p_queue.id is null then 'not found'
    when p_queue.status = 'completed' or (p_queue.status = 'processing' and public.email_ops_was_sent(p_queue.id)) then 'already sent'
    when p_queue.status = 'processing' and p_queue.locked_until >= now() then 'being sent by ' || coalesce(p_queue.locked_by, 'a worker')
    when p_queue.status = 'processing' and p_queue.locked_until is null and p_queue.updated_at > now() - interval '15 minutes'
      then 'being sent by a legacy worker'
  end
$$;

-- Attempts begin at 1 again, so the keys of the earlier round make room: else the next delivery would pass for a repetition.
create or replace function public.email_ops_begin_again(p_ids uuid[])
returns void language sql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
  update public.email_logs set attempt_key = attempt_key || '/' || id
  where queue_id = any (p_ids) and attempt_key not like '%/%';
  update public.email_dead_letter_queue set reviewed_at = now(), updated_at = now()
  where original_queue_id = any (p_ids) and reviewed_at is null;
  update public.email_queue
  set status = 'queued', attempts = 0, locked_by = null, locked_until = null, next_retry_at = null, updated_at = now()
  where id = any (p_ids)
$$;

-- Makes queued rows due now, and queues failed ones anew with all their attempts.
-- Answers {"retried": [ids], "skipped": [{"id", "reason"}]}.
create or replace function public.retry_emails(p_ids uuid[])
returns jsonb language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  skipped jsonb;
  failed uuid[];
  waiting uuid[];
begin
  perform id from public.email_queue where id = any (p_ids) order by id for update;

  select
    jsonb_agg(jsonb_build_object('id', wanted.id, 'reason', public.email_ops_untouchable(queue)))
      filter (where public.email_ops_untouchable(queue) is not null),
    array_agg(wanted.id) filter (where public.email_ops_untouchable(queue) is null and queue.status = 'failed'),
    array_agg(wanted.id) filter (where public.email_ops_untouchable(queue) is null and queue.status <> 'failed')
  into skipped, failed, waiting
  from (select distinct id from unnest(p_ids) as id where id is not null) wanted
  left join public.email_queue queue on queue.id = wanted.id;

  perform public.email_ops_begin_again(failed);
  update public.email_queue
  set status = 'queued', locked_by = null, locked_until = null, next_retry_at = null, updated_at = now()
  where id = any (waiting);

  return jsonb_build_object('retried', to_jsonb(coalesce(failed || waiting, '{}')), 'skipped', coalesce(skipped, '[]'));
end
$$;

-- Takes queued or failed rows out of the queue for good: failed, with a dead letter that counts as reviewed.
-- Answers {"discarded": [ids], "skipped": [{"id", "reason"}]}.
create or replace function public.discard_emails(p_ids uuid[], p_reason text)
returns jsonb language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  skipped jsonb;
  discarded uuid[];
  unburied jsonb;
begin
  perform id from public.email_queue where id = any (p_ids) order by id for update;

  select
    jsonb_agg(jsonb_build_object('id', wanted.id, 'reason', public.email_ops_untouchable(queue)))
      filter (where public.email_ops_untouchable(queue) is not null),
    coalesce(array_agg(wanted.id) filter (where public.email_ops_untouchable(queue) is null), '{}')
  into skipped, discarded
  from (select distinct id from unnest(p_ids) as id where id is not null) wanted
  left join public.email_queue queue on queue.id = wanted.id;

  -- A failed row has its dead letter already, unless a legacy worker failed it.
  select coalesce(jsonb_agg(jsonb_build_object('id', queue.id, 'reason', coalesce(p_reason, 'discarded by an operator'))), '[]')
  into unburied
  from public.email_queue queue
  where queue.id = any (discarded)
    and not (queue.status = 'failed'
      and exists (select from public.email_dead_letter_queue letter where letter.original_queue_id = queue.id));
  update public.email_dead_letter_queue set reviewed_at = now(), updated_at = now()
  where original_queue_id = any (discarded) and reviewed_at is null;
  perform public.email_ops_bury(unburied, true);

  return jsonb_build_object('discarded', to_jsonb(discarded), 'skipped', coalesce(skipped, '[]'));
end
$$;

-- Queues dead letters anew with all their attempts; a letter whose queue row is gone gets a new one. A letter is redriven once.
-- Answers {"redriven": [queue ids], "skipped": [{"id": letter id, "reason"}]}.
create or replace function public.redrive_dead_letters(p_ids uuid[])
returns jsonb language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  wanted uuid;
  letter public.email_dead_letter_queue;
  queue public.email_queue;
  refusal text;
  redriven uuid[] := '{}';
  skipped jsonb := '[]';
begin
  -- Queue rows first, in order of id, as everywhere.
  perform held.id from public.email_queue held
  where held.id in (select original_queue_id from public.email_dead_letter_queue where id = any (p_ids))
  order by held.id for update;

  for wanted in select distinct id from unnest(p_ids) as id where id is not null order by id loop
    select * into letter from public.email_dead_letter_queue where id = wanted for update;
    select * into queue from public.email_queue where id = letter.original_queue_id;
    refusal := case
      when letter.id is null then 'not found'
      when letter.reviewed_at is not null then 'already reviewed'
      when queue.id is null then null
      when queue.status = 'queued' then 'already queued'
      else public.email_ops_untouchable(queue)
    end;
    if refusal is null and queue.id is not null then
      perform public.email_ops_begin_again(array[queue.id]);
      redriven := redriven || queue.id;
    elsif refusal is null then
      begin
        insert into public.email_queue (recipient_id, recipient_email, email_type, template_name, template_data)
        values (letter.recipient_id, letter.recipient_email, letter.email_type, letter.template_name,
          coalesce(letter.template_data, '{}'::jsonb))
        returning * into queue;
        update public.email_dead_letter_queue
        set reviewed_at = now(), updated_at = now(),
            metadata = coalesce(metadata, '{}'::jsonb) || jsonb_build_object('redriven_as', queue.id)
        where id = letter.id;
        redriven := redriven || queue.id;
      exception when integrity_constraint_violation then
        refusal := 'the queue refuses it: ' || sqlerrm;
      end;
    end if;
    if refusal is not null then
      skipped := skipped || jsonb_build_object('id', wanted, 'reason', refusal);
    end if;
  end loop;

  return jsonb_build_object('redriven', to_jsonb(redriven), 'skipped', skipped);
end
$$;

-- Enqueues many at once, or none: an unusable element fails the call and is named. A key that is known is not enqueued again.
-- Answers {"enqueued": n, "duplicates": n, "ids": [the row of each element, in order]}.
create or replace function public.enqueue_emails(p_emails jsonb)
returns jsonb language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  fault text;
  new_ids uuid[];
  enqueued int;
begin
  if p_emails is null or jsonb_typeof(p_emails) <> 'array' then
    raise exception 'enqueue_emails: p_emails is not an array' using errcode = '22023', hint = 'Pass a JSON array of emails.';
  end if;

  select format('email %s: %s', place, problem) into fault
  from (
    select ordinality as place, case
      when jsonb_typeof(email) <> 'object' then 'not an object'
      when coalesce(email->>'recipientEmail', '') = '' then 'recipientEmail is missing'
      when coalesce(email->>'emailType', '') = '' then 'emailType is missing'
      when length(email->>'key') > 200 then 'key is longer than 200 characters'
      when email->>'recipientId' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then 'recipientId is not a UUID'
      when jsonb_typeof(email->'templateData') is distinct from 'object' then 'templateData is not an object'
      when email ? 'maxAttempts' and jsonb_typeof(email->'maxAttempts') <> 'null'
        and not coalesce(email->>'maxAttempts' ~ '^[1-9][0-9]{0,2}$', false) then 'maxAttempts is not between 1 and 999'
    end as problem
    from jsonb_array_elements(p_emails) with ordinality as element (email, ordinality)
  ) as checked
  where problem is not null
  order by place limit 1;
  if fault is not null then
    raise exception 'enqueue_emails: %', fault using errcode = '22023', hint = 'Correct it and send the whole call again.';
  end if;
  new_ids := array(select gen_random_uuid() from jsonb_array_elements(p_emails));

  -- In order of key, so that two callers with the same keys cannot deadlock. A microsecond each keeps the caller's order.
  insert into public.email_queue (
    id, recipient_id, recipient_email, email_type, template_name, template_data, max_attempts, enqueue_key, created_at
  )
  select
    new_ids[place], (email->>'recipientId')::uuid, email->>'recipientEmail', email->>'emailType', email->>'templateName',
    email->'templateData', coalesce((email->>'maxAttempts')::int, 3), nullif(email->>'key', ''),
    now() + (place - 1) * interval '1 microsecond'
  from jsonb_array_elements(p_emails) with ordinality as element (email, place)
  order by nullif(email->>'key', ''), place
  on conflict (enqueue_key) where enqueue_key is not null do nothing;
  get diagnostics enqueued = row_count;

  return jsonb_build_object(
    'enqueued', enqueued,
    'duplicates', jsonb_array_length(p_emails) - enqueued,
    'ids', coalesce((
      select jsonb_agg(coalesce(known.id, new_ids[place]) order by place)
      from jsonb_array_elements(p_emails) with ordinality as element (email, place)
      left join public.email_queue known on known.enqueue_key = nullif(email->>'key', '')
    ), '[]'));
end
$$;

-- Looking -------------------------------------------------------------------------------------------------------------------

-- The queue in one value, from indexes and counters, in one snapshot. Times are ISO, UTC; days and buckets are UTC.
create or replace function public.email_ops_overview()
returns jsonb language sql stable security definer
set search_path = '' set enable_seqscan = off set jit = off set timezone = 'UTC' as $$
  with counted as materialized (
    select name, sum(delta) as n from public.email_ops_counters where bucket is null group by name
  ), delayed as materialized (
    select count(*) as due, min(next_retry_at) as due_since from public.email_queue
    where status = 'queued' and next_retry_at is not null and next_retry_at <= now()
  ), enqueued as materialized (
    select bucket, sum(delta) as n from public.email_ops_counters
    where name = 'enqueued' and bucket > now() - interval '2 hours' group by bucket
  ), delivered as materialized (
    select bucket, provider, sum(sent) as sent, sum(failed) as failed from public.email_ops_deliveries
    where bucket > now() - interval '24 hours' group by bucket, provider
  ), recent as materialized (
    -- How fast providers are shows in the latest deliveries; all of a busy day would take seconds.
    select provider, percentile_disc(0.95) within group (order by latency_ms) as "p95Ms" from (
      select provider, latency_ms from public.email_logs
      where created_at > now() - interval '24 hours' order by created_at desc limit 10000
    ) as latest group by provider
  ), today as (
    select (now() at time zone 'utc')::date as day
  ), latest as (
    select distinct on (provider) provider, date, emails_sent, daily_limit, monthly_limit, created_at, updated_at
    from public.email_provider_quota, today
    where date <= day
    order by provider, date desc
  )
  select jsonb_build_object(
    'schemaVersion', public.email_ops_version(),
    'now', clock_timestamp(),
    'counts', jsonb_build_object(
      'queued', coalesce((select sum(n) from counted where name in ('undelayed', 'delayed')), 0),
      'processing', coalesce((select n from counted where name = 'processing'), 0),
      'failed', coalesce((select n from counted where name = 'failed'), 0),
      'completed', coalesce((select n from counted where name = 'completed'), 0)),
    'ready', coalesce((select n from counted where name = 'undelayed'), 0) + (select due from delayed),
    -- Since when the first of the ready ones has been due: a retry of an old email has not waited long.
    'oldestReadyAt', least(
      (select min(created_at) from public.email_queue where status = 'queued' and next_retry_at is null),
      (select due_since from delayed)),
    'waitingRetry', coalesce((select n from counted where name = 'delayed'), 0) - (select due from delayed),
    'nextRetryAt', (
      select min(next_retry_at) from public.email_queue
      where status = 'queued' and next_retry_at is not null and next_retry_at > now()),
    'expiredLeases', (
      select count(*) from public.email_queue
      where status = 'processing' and locked_until is not null and locked_until < now()),
    'oldestProcessingAt', (select min(updated_at) from public.email_queue where status = 'processing'),
    'lastCompletedAt', (select max(updated_at) from public.email_queue where status = 'completed'),
    'deadLetters', (select count(*) from public.email_dead_letter_queue),
    'unreviewedDeadLetters', (select count(*) from public.email_dead_letter_queue where reviewed_at is null),
    'quotas', coalesce((
      select jsonb_agg(jsonb_build_object(
        'provider', provider,
        'daySent', case when date = day then emails_sent else 0 end,
        'dayLimit', daily_limit,
        'monthSent', (
          select coalesce(sum(month.emails_sent), 0) from public.email_provider_quota month
          where month.provider = latest.provider and month.date between date_trunc('month', day)::date and day),
        'monthLimit', monthly_limit,
        -- When the count last changed; a row that was only ever inserted tells nothing of when that was reached.
        'countedAt', case when updated_at > created_at then updated_at end) order by provider)
      from latest, today), '[]'),
    'deliveries24h', coalesce((
      select jsonb_agg(to_jsonb(by_provider) order by provider) from (
        select provider, sum(sent) as sent, sum(failed) as failed, min("p95Ms") as "p95Ms"
        from delivered left join recent using (provider)
        group by provider having sum(sent) > 0 or sum(failed) > 0
      ) as by_provider), '[]'),
    'throughput', (
      select jsonb_agg(jsonb_build_object(
        'at', slot.at, 'sent', coalesce(flow.sent, 0), 'failed', coalesce(flow.failed, 0),
        'enqueued', coalesce(enqueued.n, 0)) order by slot.at)
      from (
        select public.email_ops_bucket(now()) - back * interval '5 minutes' as at from generate_series(0, 23) as back
      ) as slot
      left join (
        select bucket as at, sum(sent) as sent, sum(failed) as failed
        from delivered where bucket > now() - interval '2 hours' group by 1
      ) as flow on flow.at = slot.at
      left join enqueued on enqueued.bucket = slot.at))
$$;

-- Rights --------------------------------------------------------------------------------------------------------------------

do $rights$
declare
  ours record;
begin
  for ours in
    select oid::regprocedure as signature, proname from pg_proc
    where pronamespace = 'public'::regnamespace
      and (proname like 'email\_ops\_%' or proname in ('claim_emails', 'renew_leases', 'release_emails', 'finish_emails',
        'retry_emails', 'discard_emails', 'redrive_dead_letters', 'enqueue_emails'))
  loop
    execute format('revoke execute on function %s from public, anon, authenticated, service_role', ours.signature);
    if ours.proname not like 'email\_ops\_%' or ours.proname in ('email_ops_overview', 'email_ops_version', 'email_ops_recount') then
      execute format('grant execute on function %s to service_role', ours.signature);
    end if;
  end loop;
end
$rights$;

notify pgrst, 'reload schema';
