-- The deliveries of each provider over time, for the console. Additive and idempotent.

-- Two at once take turns.
select pg_advisory_xact_lock(hashtext('email-ops migrations'));

-- The last p_minutes (1 to 1,440) in buckets of p_bucket_minutes (1 to 60; longer where there would be more than 300). `buckets`
-- lists only what is not empty: [{"provider", "at", "sent", "failed", "p95Ms"}], ascending. One index scan over email_logs.
create or replace function public.email_provider_history(p_minutes int default 1440, p_bucket_minutes int default 15)
returns jsonb language sql stable security definer
set search_path = '' set enable_seqscan = off set jit = off set timezone = 'UTC' as $$
  with asked as materialized (
    select minutes, greatest(least(greatest(coalesce(p_bucket_minutes, 15), 1), 60), ceil(minutes / 300.0)::int) as bucket
    from (select least(greatest(coalesce(p_minutes, 1440), 1), 1440) as minutes) as clamped
  ), span as materialized (
    -- From the beginning of a bucket, so that the first one is whole as well.
    select bucket, date_bin(make_interval(mins => bucket), now() - make_interval(mins => minutes),
      timestamptz '2000-01-01 00:00:00+00') as since
    from asked
  ), bucketed as (
    select provider, date_bin(make_interval(mins => bucket), created_at, timestamptz '2000-01-01 00:00:00+00') as at,
      count(*) filter (where status in ('sent', 'delivered')) as sent,
      count(*) filter (where status in ('failed', 'bounced')) as failed,
      percentile_disc(0.95) within group (order by latency_ms) as p95
    from public.email_logs, span
    where created_at >= (select since from span) and created_at <= now()
    group by provider, at
  )
  select jsonb_build_object(
    'now', clock_timestamp(),
    'since', (select since from span),
    'bucketMinutes', (select bucket from span),
    'buckets', coalesce((
      select jsonb_agg(jsonb_build_object('provider', provider, 'at', at, 'sent', sent, 'failed', failed, 'p95Ms', p95)
        order by at, provider)
      from bucketed), '[]'))
$$;

revoke execute on function public.email_provider_history(int, int) from public, anon, authenticated, service_role;
grant execute on function public.email_provider_history(int, int) to service_role;

notify pgrst, 'reload schema';
