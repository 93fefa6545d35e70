import { describe, expect, it } from 'vitest';
import { adminRoute, workerRoute } from '../../src/endpoints.ts';

const request = (method = 'POST') => new Request('http://app.example/api/email/worker/queue-processor', { method });

describe('the exported route handlers', () => {
  it('connect to nothing before the first request', () => {
    expect(Object.keys(workerRoute('queue-processor', { KV_REST_API_URL: 'nonsense' }))).toEqual(['GET', 'POST']);
  });

  it('answer 503 where nothing is configured', async () => {
    const response = await workerRoute('tick', {}).POST(request());
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ success: false, error: 'The workers need Redis and Supabase.' });
    expect((await adminRoute({}).GET(request('GET'))).status).toBe(503);
  });

  it('answer 500 without details where the configuration is wrong', async () => {
    const response = await workerRoute('tick', { EMAIL_CONCURRENCY: '50' }).POST(request());
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('50');
  });

  it('refuse to work with QSTASH_DEV outside development', async () => {
    const response = await workerRoute('tick', { QSTASH_DEV: '1' }).POST(request());
    expect(response.status).toBe(500);
  });

  it('refuse an unsigned call in the words of the endpoint', async () => {
    const environment = {
      REDIS_URL: 'redis://127.0.0.1:1',
      SUPABASE_URL: 'http://127.0.0.1:1',
      SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_x',
    };
    const { GET, POST } = workerRoute('queue-processor', environment);
    expect((await POST(request())).status).toBe(401);
    expect((await GET(request('GET'))).status).toBe(403);
  });
});
