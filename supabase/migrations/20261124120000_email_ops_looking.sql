-- What the console's list of the queue needs: pages by any filter in both directions, errors in groups, and dead letters marked
-- as seen. Additive and idempotent, after 20261123000000_email_ops.sql and in its manner: one jsonb value a function, the owner's
-- rights, a fixed search_path, service_role only. No new index: a page over all states is merged from one page of each.

-- Two at once take turns.
select pg_advisory_xact_lock(hashtext('email-ops migrations'));

-- An error without what differs from email to email (addresses, ids, long numbers), so that equal causes read the same. At most
-- 200 characters; '' where none was recorded.
create or replace function public.email_error_kind(p_error text)
returns text language sql immutable parallel safe set search_path = '' as $$
  select left(trim(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(left(coalesce(p_error, ''), 500),
      '[^\s<>"''(),;:]+@[^\s<>"''(),;:]+', '<address>', 'g'),
      '\m(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,})\M', '<id>', 'g'),
      '[0-9]{5,}', '<n>', 'g'),
      '\s+', ' ', 'g')), 200)
$$;

-- True for a failed row that an operator discarded: it has dead letters, and all of them were reviewed.
create or replace function public.email_was_discarded(p_queue_id uuid)
returns boolean language sql stable security definer set search_path = '' as $$
  select coalesce(bool_and(reviewed_at is not null), false)
  from public.email_dead_letter_queue where original_queue_id = p_queue_id
$$;

-- A page of queue rows, or of unreviewed dead letters (status 'dead'), in the order of the list.
-- p_query: {"status"?, "type"?, "provider"?: one that was tried, "words"?: [text], "error"?: kind, "open"?: true leaves discarded
-- rows out, "reviewed"?: true for the dead letters that were seen, "sort"?: oldest|newest|changed, "columns"?: "ids",
-- and where to: nothing for the first page, "end": true for the last, or "after" | "before" | "from": key of a row}.
-- Answers {"rows": [{…, "key"}], "more": whether there is more in the direction of travel}. p_limit 1..5000.
create or replace function public.find_emails(p_query jsonb, p_limit int default 100)
returns jsonb language plpgsql stable security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  is_dead constant boolean := coalesce(p_query->>'status' = 'dead', false);
  is_backward constant boolean := p_query ? 'before' or coalesce(p_query->>'end' = 'true', false);
  most constant int := least(greatest(coalesce(p_limit, 100), 1), 5000);
  place constant text[] := string_to_array(coalesce(p_query->>'after', p_query->>'before', p_query->>'from'), '|');
  patterns constant text[] := array(
    select '%' || regexp_replace(left(word, 200), '([\\%_])', '\\\1', 'g') || '%'
    from jsonb_array_elements_text(coalesce(p_query->'words', '[]')) as word);
  sort_by constant text := case
    when is_dead then 'moved_to_dlq_at' when p_query->>'sort' = 'changed' then 'updated_at' else 'created_at' end;
  direction constant text := case
    when (coalesce(p_query->>'sort', 'oldest') = 'oldest') <> is_backward then 'asc' else 'desc' end;
  wanted text[] := array[p_query->>'status'];
  conditions text := '';
  columns text;
  branches text;
  rows jsonb;
begin
  if place is not null then
    conditions := conditions || format(' and (mail.%I, mail.id) %s ($1, $2)', sort_by,
      case direction when 'asc' then '>' else '<' end || case when p_query ? 'from' then '=' else '' end);
  end if;
  if p_query ? 'type' then
    conditions := conditions || ' and mail.email_type = $3';
  end if;
  if p_query ? 'provider' then
    conditions := conditions || case when is_dead then ' and $4 = any (mail.failed_providers)'
      else ' and exists (select from public.email_logs log where log.queue_id = mail.id and log.provider = $4)' end;
  end if;
  if cardinality(patterns) > 0 then
    conditions := conditions || format(
      ' and concat_ws('' '', mail.id, mail.recipient_email, mail.email_type, mail.template_data->>''subject'', mail.last_error%s) ilike all ($5)',
      case when is_dead then ', mail.failure_reason' else '' end);
  end if;
  if p_query ? 'error' then
    conditions := conditions || format(' and public.email_error_kind(%s) = $6',
      case when is_dead then 'coalesce(mail.last_error, mail.failure_reason)' else 'mail.last_error' end);
  end if;
  if is_dead then
    wanted := array['dead'];
    conditions := conditions || format(' and mail.reviewed_at is %s null',
      case when p_query->>'reviewed' = 'true' then 'not' else '' end);
  elsif not p_query ? 'status' then
    wanted := array['queued', 'processing', 'failed', 'completed'];
  end if;
  if p_query->>'open' = 'true' and not is_dead then
    -- As email_was_discarded, but written out: for a whole group a call for each row would take most of the time.
    conditions := conditions || ' and not (mail.status = ''failed''
      and exists (select from public.email_dead_letter_queue letter where letter.original_queue_id = mail.id)
      and not exists (select from public.email_dead_letter_queue letter
        where letter.original_queue_id = mail.id and letter.reviewed_at is null))';
  end if;

  columns := case
    when p_query->>'columns' = 'ids' then '''id'', page.id'
    when is_dead then '''id'', page.id, ''original_queue_id'', page.original_queue_id, ''recipient_email'', page.recipient_email,
      ''email_type'', page.email_type, ''total_attempts'', page.total_attempts, ''failure_reason'', page.failure_reason,
      ''last_error'', page.last_error, ''moved_to_dlq_at'', page.moved_to_dlq_at, ''reviewed_at'', page.reviewed_at,
      ''subject'', page.template_data->>''subject'', ''failed_providers'', page.failed_providers'
    else '''id'', page.id, ''recipient_id'', page.recipient_id, ''recipient_email'', page.recipient_email,
      ''email_type'', page.email_type, ''template_name'', page.template_name, ''attempts'', page.attempts,
      ''max_attempts'', page.max_attempts, ''status'', page.status, ''last_error'', page.last_error,
      ''next_retry_at'', page.next_retry_at, ''created_at'', page.created_at, ''updated_at'', page.updated_at,
      ''locked_by'', page.locked_by, ''locked_until'', page.locked_until, ''subject'', page.template_data->>''subject'',
      ''discarded'', page.status = ''failed'' and public.email_was_discarded(page.id)' end;
  select string_agg(
    format('(select mail.* from public.%I mail where %s%s order by mail.%I %s, mail.id %s limit $7)',
      case when is_dead then 'email_dead_letter_queue' else 'email_queue' end,
      case when is_dead then 'true' else format('mail.status = %L', status) end,
      conditions, sort_by, direction, direction), ' union all ')
  into branches from unnest(wanted) as status;
  execute format(
    'select coalesce(jsonb_agg(jsonb_build_object(%s, ''key'',
       to_char(page.%I at time zone ''utc'', ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'') || ''|'' || page.id) order by page.%I %s, page.id %s), ''[]'')
     from (select * from (%s) as merged order by %I %s, id %s limit $7) as page',
    columns, sort_by, sort_by, direction, direction, branches, sort_by, direction, direction)
  into rows
  using place[1]::timestamptz, place[2]::uuid, p_query->>'type', p_query->>'provider', patterns, p_query->>'error', most + 1;

  return jsonb_build_object(
    'more', jsonb_array_length(rows) > most,
    'rows', case when is_backward
      then (select coalesce(jsonb_agg(row order by n desc), '[]')
        from jsonb_array_elements(rows - most) with ordinality as each (row, n))
      else rows - most end);
end
$$;

-- Emails with an error in groups of the same kind, the largest first: of one state ('dead': unreviewed dead letters), or of the
-- queue's three unfinished ones. Discarded rows are left out. p_limit 1..500 groups.
-- Answers {"groups": [{"status", "error", "count", "types": [text], "oldestAt", "newestAt"}], "emails": in all groups, "more"}.
create or replace function public.group_email_errors(p_status text default null, p_limit int default 100)
returns jsonb language sql stable security definer set search_path = '' set enable_seqscan = off set jit = off as $$
  with letters as (
    select original_queue_id, bool_and(reviewed_at is not null) as is_discarded
    from public.email_dead_letter_queue group by original_queue_id
  ),
  -- Equal texts are counted before their kind is found: most failures say the same, and the patterns cost more than counting.
  texts as (
    select mail.status, left(mail.last_error, 500) as error, mail.email_type as type, count(*) as n,
      min(mail.created_at) as oldest, max(mail.updated_at) as newest
    from public.email_queue mail
    left join letters on letters.original_queue_id = mail.id and mail.status = 'failed'
    where mail.status in ('queued', 'processing', 'failed') and (p_status is null or mail.status = p_status)
      and (mail.last_error is not null or mail.status = 'failed')
      and letters.is_discarded is distinct from true
    group by 1, 2, 3
    union all
    select 'dead', left(coalesce(last_error, failure_reason), 500), email_type, count(*), min(moved_to_dlq_at), max(moved_to_dlq_at)
    from public.email_dead_letter_queue
    where p_status = 'dead' and reviewed_at is null
    group by 1, 2, 3
  ),
  kinds as (
    select status, public.email_error_kind(error) as error, sum(n) as count, array_agg(distinct type order by type) as types,
      min(oldest) as "oldestAt", max(newest) as "newestAt"
    from texts group by 1, 2
  ),
  ranked as (
    select *, row_number() over (order by count desc, status, error) as place from kinds
  )
  select jsonb_build_object(
    'groups', coalesce((
      select jsonb_agg(to_jsonb(ranked) - 'place' order by place) from ranked
      where place <= least(greatest(coalesce(p_limit, 100), 1), 500)), '[]'),
    'emails', coalesce((select sum(count) from ranked), 0),
    'more', (select count(*) from ranked) > least(greatest(coalesce(p_limit, 100), 1), 500))
$$;

-- Marks dead letters as seen without queueing them again. Answers {"reviewed": [ids], "skipped": [{"id", "reason"}]}.
create or replace function public.review_dead_letters(p_ids uuid[])
returns jsonb language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  answer jsonb;
begin
  perform id from public.email_dead_letter_queue where id = any (p_ids) order by id for update;

  select jsonb_build_object(
    'reviewed', coalesce(jsonb_agg(wanted.id) filter (where letter.id is not null and letter.reviewed_at is null), '[]'),
    'skipped', coalesce(
      jsonb_agg(jsonb_build_object('id', wanted.id, 'reason',
        case when letter.id is null then 'not found' else 'already reviewed' end))
        filter (where letter.id is null or letter.reviewed_at is not null), '[]'))
  into answer
  from (select distinct id from unnest(p_ids) as id where id is not null) wanted
  left join public.email_dead_letter_queue letter on letter.id = wanted.id;

  update public.email_dead_letter_queue set reviewed_at = now(), updated_at = now()
  where id = any (p_ids) and reviewed_at is null;
  return answer;
end
$$;

do $rights$
declare
  ours record;
begin
  for ours in
    select oid::regprocedure as signature, proname from pg_proc
    where pronamespace = 'public'::regnamespace
      and proname in ('email_error_kind', 'email_was_discarded', 'find_emails', 'group_email_errors', 'review_dead_letters')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated, service_role', ours.signature);
    if ours.proname not in ('email_error_kind', 'email_was_discarded') then
      execute format('grant execute on function %s to service_role', ours.signature);
    end if;
  end loop;
end
$rights$;

notify pgrst, 'reload schema';
