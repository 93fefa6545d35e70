-- What the email function and the operators of its providers keep: idempotency keys, circuits, recent sends, checks, alerts, and
-- providers taken out. Additive and idempotent. Several instances of the function share it, so every step that must not be done
-- twice is one function here, and one transaction.
--
-- Rules of the circuit: src/domain/circuit.ts; weights and health score: src/domain/provider-record.ts. Both are written down
-- there in prose; here they are the same in SQL, and a test holds the two equal.

-- Two at once take turns.
select pg_advisory_xact_lock(hashtext('email-ops migrations'));

-- Tables and columns --------------------------------------------------------------------------------------------------------

create table if not exists public.email_idempotency (
  key text primary key,
  -- Of recipient and subject, so that no address is kept here; '' where it is not known.
  fingerprint text not null,
  state text not null default 'sending' check (state in ('sending', 'sent')),
  claim uuid,
  claimed_until timestamptz,
  provider text not null,
  message_id text,
  created_at timestamptz not null default now(),
  sent_at timestamptz
);
create index if not exists email_idempotency_created_idx on public.email_idempotency (created_at);
comment on table public.email_idempotency is 'Keys of sends of the last 24 hours: a repeated key never sends again after a known success';

alter table public.email_circuit_breaker_state add column if not exists probe_until timestamptz;
comment on column public.email_circuit_breaker_state.probe_until is 'While half-open: a probe is under way until then';

alter table public.email_provider_health_metrics add column if not exists recent_weight double precision not null default 0;
alter table public.email_provider_health_metrics add column if not exists recent_success_weight double precision not null default 0;
alter table public.email_provider_health_metrics add column if not exists recent_latency_weight double precision not null default 0;
alter table public.email_provider_health_metrics add column if not exists weighed_at timestamptz;
alter table public.email_provider_health_metrics add column if not exists last_error text;
alter table public.email_provider_health_metrics add column if not exists used_up_until timestamptz;
comment on column public.email_provider_health_metrics.recent_weight is 'Sends, each losing half its weight every five minutes, as of weighed_at';
comment on column public.email_provider_health_metrics.used_up_until is 'The provider said that its quota is used up until then';

create table if not exists public.email_provider_control (
  provider text primary key,
  disabled_until timestamptz,
  disabled_by text,
  disabled_reason text,
  circuit_reset_at timestamptz,
  updated_at timestamptz not null default now()
);
comment on table public.email_provider_control is 'What operators decided about providers';

create table if not exists public.email_provider_checks (
  provider text primary key,
  claimed_at timestamptz,
  checked_at timestamptz,
  status text,
  message text,
  latency_ms int,
  quota jsonb
);
comment on table public.email_provider_checks is 'The last health check of each provider, shared by all instances of the email function';

create table if not exists public.email_function_alerts (
  key text primary key,
  announced_at timestamptz not null
);

alter table public.email_idempotency enable row level security;
alter table public.email_provider_control enable row level security;
alter table public.email_provider_checks enable row level security;
alter table public.email_function_alerts enable row level security;
revoke all on public.email_idempotency, public.email_provider_control, public.email_provider_checks, public.email_function_alerts
  from anon, authenticated;
grant all on public.email_idempotency, public.email_provider_control, public.email_provider_checks, public.email_function_alerts
  to service_role;

-- Sending -------------------------------------------------------------------------------------------------------------------

-- The circuit of a provider, locked until the end of the transaction. Serialises everything about this provider.
create or replace function public.email_function_lock_circuit(p_provider text)
returns public.email_circuit_breaker_state language plpgsql security definer set search_path = '' as $$
declare
  circuit public.email_circuit_breaker_state;
begin
  select * into circuit from public.email_circuit_breaker_state where provider = p_provider for update;
  if not found then
    insert into public.email_circuit_breaker_state (provider) values (p_provider) on conflict (provider) do nothing;
    select * into circuit from public.email_circuit_breaker_state where provider = p_provider for update;
  end if;
  return circuit;
end
$$;

-- May this send be made? p_key may be null. Answers one of
-- {"kind": "go", "claim"}, {"kind": "sent-before", "provider", "messageId"}, {"kind": "key-reused"}, {"kind": "in-flight"},
-- {"kind": "circuit-open", "retryAt"}, {"kind": "disabled", "until", "by", "reason"}.
create or replace function public.email_function_begin(
  p_provider text, p_key text, p_fingerprint text, p_claim_seconds int, p_ignore_circuit boolean
) returns jsonb language plpgsql security definer set search_path = '' as $$
declare
  known public.email_idempotency;
  control public.email_provider_control;
  circuit public.email_circuit_breaker_state;
  own_claim uuid;
begin
  if p_key is not null then
    -- Now and then, so that a burst of sends doesn't delete all the time.
    if random() < 0.02 then
      delete from public.email_idempotency where key in (
        select key from public.email_idempotency where created_at < now() - interval '24 hours' limit 1000 for update skip locked);
    end if;
    -- Whoever sends the same key waits here, for the length of one statement, not of a send. One statement, too: between an
    -- insert and a select for update the row could be deleted, and then two would send.
    insert into public.email_idempotency as mine (key, fingerprint, provider) values (p_key, p_fingerprint, p_provider)
    on conflict (key) do update set key = mine.key returning * into known;
    if known.created_at <= now() - interval '24 hours' and (known.claimed_until is null or known.claimed_until < now()) then
      update public.email_idempotency
      set fingerprint = p_fingerprint, provider = p_provider, state = 'sending', claim = null, claimed_until = null,
          message_id = null, sent_at = null, created_at = now()
      where key = p_key returning * into known;
    end if;
    if known.fingerprint not in (p_fingerprint, '') and (known.state = 'sent' or known.claimed_until >= now()) then
      return jsonb_build_object('kind', 'key-reused');
    end if;
    if known.state = 'sent' then
      return jsonb_build_object('kind', 'sent-before', 'provider', known.provider, 'messageId', known.message_id);
    end if;
    if known.claimed_until >= now() then
      return jsonb_build_object('kind', 'in-flight');
    end if;
  end if;

  select * into control from public.email_provider_control where provider = p_provider;
  if control.disabled_until > now() then
    return jsonb_build_object('kind', 'disabled', 'until', control.disabled_until,
      'by', coalesce(control.disabled_by, 'an operator'), 'reason', coalesce(control.disabled_reason, ''));
  end if;

  if not coalesce(p_ignore_circuit, false) then
    -- The common case takes no lock.
    select * into circuit from public.email_circuit_breaker_state where provider = p_provider;
    if circuit.state in ('open', 'half-open') then
      circuit := public.email_function_lock_circuit(p_provider);
      if circuit.state = 'open' and now() < coalesce(circuit.next_retry_time, '-infinity') then
        return jsonb_build_object('kind', 'circuit-open', 'retryAt', circuit.next_retry_time);
      end if;
      if circuit.state = 'half-open' and now() < coalesce(circuit.probe_until, '-infinity') then
        return jsonb_build_object('kind', 'circuit-open', 'retryAt', circuit.probe_until);
      end if;
      if circuit.state in ('open', 'half-open') then
        update public.email_circuit_breaker_state
        set state = 'half-open', probe_until = now() + interval '30 seconds', updated_at = now(),
            consecutive_successes = case circuit.state when 'half-open' then circuit.consecutive_successes else 0 end
        where provider = p_provider;
        update public.email_provider_health_metrics set circuit_state = 'half-open' where provider = p_provider;
      end if;
    end if;
  end if;

  if p_key is not null then
    own_claim := gen_random_uuid();
    update public.email_idempotency
    set claim = own_claim, claimed_until = now() + make_interval(secs => greatest(1, coalesce(p_claim_seconds, 30))),
        fingerprint = p_fingerprint, provider = p_provider
    where key = p_key;
  end if;
  return jsonb_build_object('kind', 'go', 'claim', own_claim);
end
$$;

-- The health score of src/domain/provider-record.ts, from weights as of now.
create or replace function public.email_function_score(
  p_weight double precision, p_success_weight double precision, p_latency_ms double precision, p_circuit text
) returns int language sql immutable set search_path = '' as $$
  select case p_circuit
    when 'open' then least(score, 15)
    when 'half-open' then least(60, greatest(25, score))
    else score
  end
  from (
    -- floor(x + 0.5), because round() of a double goes to the even number.
    select floor(100 * ((p_success_weight + 2) / (p_weight + 2))
      * (1 - least(0.5, greatest(0, (p_latency_ms - 1000) / 18000.0))) + 0.5)::int as score
  ) as scored
$$;

-- What became of a send that email_function_begin let through. p_kind: sent, or a kind of failure (src/domain/send-failure.ts).
create or replace function public.email_function_finish(
  p_provider text, p_key text, p_claim uuid, p_kind text, p_message_id text, p_error text, p_latency_ms int,
  p_used_up_until timestamptz
) returns void language plpgsql security definer set search_path = '' as $$
declare
  verdict text := case
    when p_kind = 'sent' then 'success'
    when p_kind in ('outage', 'refused', 'unanswered', 'transient') then 'failure'
    else 'neutral'
  end;
  circuit public.email_circuit_breaker_state;
  metrics public.email_provider_health_metrics;
  kept double precision;
  success int := (p_kind = 'sent')::int;
begin
  if p_key is not null and p_kind = 'sent' then
    -- Whoever holds the key by now: it was sent.
    insert into public.email_idempotency as known (key, fingerprint, state, provider, message_id, sent_at)
    values (p_key, '', 'sent', p_provider, p_message_id, now())
    on conflict (key) do update
    set state = 'sent', provider = excluded.provider, message_id = excluded.message_id, sent_at = now(),
        created_at = now(), claim = null, claimed_until = null;
  elsif p_key is not null then
    delete from public.email_idempotency where key = p_key and state = 'sending' and claim = p_claim;
  end if;

  circuit := public.email_function_lock_circuit(p_provider);
  if verdict = 'neutral' then
    circuit.probe_until := null;
  elsif verdict = 'success' then
    if circuit.state = 'closed' then
      circuit.failures := 0;
    elsif circuit.state = 'half-open' then
      circuit.consecutive_successes := circuit.consecutive_successes + 1;
      circuit.probe_until := null;
      if circuit.consecutive_successes >= 3 then
        circuit.state := 'closed';
        circuit.failures := 0;
        circuit.consecutive_successes := 0;
        circuit.next_retry_time := null;
      end if;
    end if;
  else
    circuit.failures := circuit.failures + 1;
    circuit.last_failure_time := now();
    if circuit.state = 'half-open' or (circuit.state = 'closed' and circuit.failures >= 5) then
      circuit.state := 'open';
      circuit.consecutive_successes := 0;
      circuit.next_retry_time := now() + interval '1 minute';
      circuit.probe_until := null;
    end if;
  end if;
  update public.email_circuit_breaker_state
  set state = circuit.state, failures = circuit.failures, consecutive_successes = circuit.consecutive_successes,
      last_failure_time = circuit.last_failure_time, next_retry_time = circuit.next_retry_time,
      probe_until = circuit.probe_until, updated_at = now()
  where provider = p_provider;

  -- The circuit's lock covers this row too: a deployed table may have no key to hang an upsert on.
  select * into metrics from public.email_provider_health_metrics where provider = p_provider limit 1;
  if not found then
    insert into public.email_provider_health_metrics (provider) values (p_provider);
    select * into metrics from public.email_provider_health_metrics where provider = p_provider limit 1;
  end if;
  kept := power(2.0::double precision,
    -greatest(0, extract(epoch from now() - coalesce(metrics.weighed_at, now()))::double precision) / 300.0);
  if verdict <> 'neutral' then
    metrics.total_requests := coalesce(metrics.total_requests, 0) + 1;
    metrics.successful_requests := coalesce(metrics.successful_requests, 0) + success;
    metrics.consecutive_failures := case success when 1 then 0 else coalesce(metrics.consecutive_failures, 0) + 1 end;
    metrics.recent_weight := metrics.recent_weight * kept + 1;
    metrics.recent_success_weight := metrics.recent_success_weight * kept + success;
    metrics.recent_latency_weight := metrics.recent_latency_weight * kept + coalesce(p_latency_ms, 0);
    metrics.weighed_at := greatest(now(), metrics.weighed_at);
    metrics.last_error := case success when 1 then null else left(p_error, 500) end;
    kept := 1;
  end if;
  update public.email_provider_health_metrics
  set total_requests = metrics.total_requests,
      successful_requests = metrics.successful_requests,
      consecutive_failures = metrics.consecutive_failures,
      recent_weight = metrics.recent_weight,
      recent_success_weight = metrics.recent_success_weight,
      recent_latency_weight = metrics.recent_latency_weight,
      weighed_at = metrics.weighed_at,
      last_error = metrics.last_error,
      used_up_until = case when p_used_up_until is null and p_kind <> 'sent' then metrics.used_up_until else p_used_up_until end,
      average_latency_ms = round((metrics.recent_latency_weight / greatest(metrics.recent_weight, 1e-9))::numeric, 1),
      circuit_state = circuit.state,
      health_score = public.email_function_score(
        metrics.recent_weight * kept, metrics.recent_success_weight * kept,
        metrics.recent_latency_weight / greatest(metrics.recent_weight, 1e-9), circuit.state)
  where provider = p_provider;
end
$$;

-- Looking -------------------------------------------------------------------------------------------------------------------

-- All that is known of the providers that are asked for, in one value. Times are ISO.
create or replace function public.email_function_providers(p_providers text[])
returns jsonb language sql stable security definer set search_path = '' set timezone = 'UTC' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'provider', wanted.provider,
    'circuit', (
      select jsonb_build_object('state', state, 'failures', failures, 'successes', consecutive_successes,
        'lastFailureAt', last_failure_time, 'nextRetryAt', next_retry_time, 'probeUntil', probe_until)
      from public.email_circuit_breaker_state circuit where circuit.provider = wanted.provider),
    'metrics', (
      select jsonb_build_object('totalRequests', total_requests, 'successfulRequests', successful_requests,
        'consecutiveFailures', consecutive_failures, 'weight', recent_weight, 'successWeight', recent_success_weight,
        'latencyWeight', recent_latency_weight, 'weighedAt', weighed_at, 'lastError', last_error, 'usedUpUntil', used_up_until)
      from public.email_provider_health_metrics metrics where metrics.provider = wanted.provider limit 1),
    'control', (
      select jsonb_build_object('disabledUntil', disabled_until, 'by', disabled_by, 'reason', disabled_reason,
        'circuitResetAt', circuit_reset_at)
      from public.email_provider_control control where control.provider = wanted.provider),
    'check', (
      select jsonb_build_object('checkedAt', checked_at, 'status', status, 'message', message, 'latencyMs', latency_ms,
        'quota', quota)
      from public.email_provider_checks checked where checked.provider = wanted.provider and checked_at is not null),
    'quota', (
      select jsonb_build_object(
        'daySent', case when quota.date = today.day then quota.emails_sent else 0 end, 'dayLimit', quota.daily_limit,
        'monthSent', (
          select coalesce(sum(month.emails_sent), 0) from public.email_provider_quota month
          where month.provider = wanted.provider and month.date between date_trunc('month', today.day)::date and today.day),
        'monthLimit', quota.monthly_limit)
      from public.email_provider_quota quota
      where quota.provider = wanted.provider and quota.date <= today.day order by quota.date desc limit 1)
  ) order by wanted.place), '[]'::jsonb)
  from unnest(p_providers) with ordinality as wanted (provider, place), (select (now() at time zone 'utc')::date as day) as today
$$;

-- Checks and alerts ---------------------------------------------------------------------------------------------------------

-- p_wishes: [{"provider", "everyMs"}]. Answers the providers that the caller is to check now. A check that was claimed counts as
-- made, so that several instances together ask a provider no more often than one may.
create or replace function public.email_function_claim_checks(p_wishes jsonb)
returns jsonb language sql security definer set search_path = '' as $$
  with wished as (
    select wish->>'provider' as provider, make_interval(secs => (wish->>'everyMs')::double precision / 1000) as every
    from jsonb_array_elements(p_wishes) as wish
  ), claimed as (
    insert into public.email_provider_checks as known (provider, claimed_at)
    select provider, now() from wished order by provider
    on conflict (provider) do update set claimed_at = now()
    where known.claimed_at is null or known.claimed_at <= now() - (select every from wished where wished.provider = known.provider)
    returning provider
  )
  select coalesce(jsonb_agg(provider), '[]'::jsonb) from claimed
$$;

create or replace function public.email_function_save_check(p_provider text, p_check jsonb)
returns void language sql security definer set search_path = '' as $$
  insert into public.email_provider_checks as known (provider, claimed_at, checked_at, status, message, latency_ms, quota)
  values (p_provider, now(), now(), p_check->>'status', left(p_check->>'message', 500), (p_check->>'latencyMs')::numeric::int,
    nullif(p_check->'quota', 'null'::jsonb))
  on conflict (provider) do update
  set checked_at = now(), status = excluded.status, message = excluded.message, latency_ms = excluded.latency_ms,
      quota = excluded.quota
$$;

-- Of these alerts, those that nobody announced within the last hour; they count as announced.
create or replace function public.email_function_announce(p_keys text[])
returns jsonb language sql security definer set search_path = '' as $$
  with announced as (
    insert into public.email_function_alerts as known (key, announced_at)
    select distinct key, now() from unnest(p_keys) as key where key is not null order by key
    on conflict (key) do update set announced_at = now() where known.announced_at <= now() - interval '1 hour'
    returning key
  )
  select coalesce(jsonb_agg(key), '[]'::jsonb) from announced
$$;

-- What operators do ---------------------------------------------------------------------------------------------------------

-- Nothing goes through this provider until then.
create or replace function public.disable_email_provider(p_provider text, p_until timestamptz, p_by text, p_reason text)
returns void language sql security definer set search_path = '' as $$
  insert into public.email_provider_control (provider, disabled_until, disabled_by, disabled_reason)
  values (p_provider, p_until, p_by, p_reason)
  on conflict (provider) do update
  set disabled_until = excluded.disabled_until, disabled_by = excluded.disabled_by, disabled_reason = excluded.disabled_reason,
      updated_at = now()
$$;

-- Answers whether it was disabled.
create or replace function public.enable_email_provider(p_provider text)
returns boolean language plpgsql security definer set search_path = '' as $$
begin
  update public.email_provider_control
  set disabled_until = null, disabled_by = null, disabled_reason = null, updated_at = now()
  where provider = p_provider and disabled_until > now();
  return found;
end
$$;

-- Closes the circuit and forgets recent failures, so that the provider is chosen again at once. The deployed
-- reset_circuit_breaker does the first half, and nothing of what was added later.
create or replace function public.reset_email_provider(p_provider text)
returns void language plpgsql security definer set search_path = '' as $$
begin
  perform public.email_function_lock_circuit(p_provider);
  update public.email_circuit_breaker_state
  set state = 'closed', failures = 0, consecutive_successes = 0, last_failure_time = null, next_retry_time = null,
      probe_until = null, updated_at = now()
  where provider = p_provider;
  update public.email_provider_health_metrics
  set consecutive_failures = 0, recent_weight = 0, recent_success_weight = 0, recent_latency_weight = 0, weighed_at = null,
      last_error = null, used_up_until = null, circuit_state = 'closed', health_score = 100
  where provider = p_provider;
  -- What the last check found is not known any more, and the next one may come at once.
  update public.email_provider_checks set checked_at = null, claimed_at = null where provider = p_provider;
  insert into public.email_provider_control (provider, circuit_reset_at) values (p_provider, clock_timestamp())
  on conflict (provider) do update set circuit_reset_at = clock_timestamp(), updated_at = now();
end
$$;

-- Rights --------------------------------------------------------------------------------------------------------------------

do $rights$
declare
  ours record;
begin
  for ours in
    select oid::regprocedure as signature, proname from pg_proc
    where pronamespace = 'public'::regnamespace
      and (proname like 'email\_function\_%'
        or proname in ('disable_email_provider', 'enable_email_provider', 'reset_email_provider'))
  loop
    execute format('revoke execute on function %s from public, anon, authenticated, service_role', ours.signature);
    if ours.proname not in ('email_function_lock_circuit', 'email_function_score') then
      execute format('grant execute on function %s to service_role', ours.signature);
    end if;
  end loop;
end
$rights$;

notify pgrst, 'reload schema';
