/** Schedules: create or overwrite, list, get, delete, pause, resume. */
import { randomBytes } from 'node:crypto';
import type { Handler } from './api.ts';
import { ApiError } from './errors.ts';
import { readTemplate } from './template.ts';
import { CronError } from './timetable.ts';
import { describeSchedule } from './wire.ts';

/** `POST /v2/schedules/<destination>`. The same `Upstash-Schedule-Id` overwrites, and keeps what is known of the last firing. */
export const createSchedule: Handler = async ({ request, rest, store, schedules, clock, body }) => {
  const cron = request.headers.get('upstash-cron');
  if (cron === null || cron.trim() === '') throw new ApiError(400, 'invalid cron: the Upstash-Cron header is missing');
  const template = readTemplate(rest, request.headers, await body());
  const scheduleId = request.headers.get('upstash-schedule-id') ?? `scd_${randomBytes(21).toString('base64url')}`;
  const known = store.schedules.get(scheduleId);
  try {
    schedules.save({
      scheduleId,
      cron,
      template,
      createdAtEpochMs: known?.createdAtEpochMs ?? clock.nowEpochMs(),
      isPaused: known?.isPaused ?? false,
      lastFiredAtEpochMs: known?.lastFiredAtEpochMs,
      lastStates: known?.lastStates ?? {},
    });
  } catch (error) {
    if (error instanceof CronError) throw new ApiError(400, error.message, { cause: error });
    throw error;
  }
  return Response.json({ scheduleId }, { status: known === undefined ? 201 : 200 });
};

export const listSchedules: Handler = async ({ store, schedules }) =>
  Response.json(
    store.schedules.all().map((schedule) => describeSchedule(schedule, schedules.nextFiring(schedule.scheduleId))),
  );

export const getSchedule: Handler = async ({ id, store, schedules }) => {
  const schedule = store.schedules.get(id);
  if (schedule === undefined) throw unknown(id);
  return Response.json(describeSchedule(schedule, schedules.nextFiring(id)));
};

export const deleteSchedule: Handler = async ({ id, schedules }) => {
  if (!schedules.delete(id)) throw unknown(id);
  return new Response(null, { status: 200 });
};

export const pauseSchedule: Handler = async ({ id, schedules }) => {
  if (!schedules.setPaused(id, true)) throw unknown(id);
  return new Response(null, { status: 200 });
};

export const resumeSchedule: Handler = async ({ id, schedules }) => {
  if (!schedules.setPaused(id, false)) throw unknown(id);
  return new Response(null, { status: 200 });
};

function unknown(id: string): ApiError {
  return new ApiError(404, `schedule "${id}" not found`);
}
