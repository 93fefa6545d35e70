/**
 * Checks an AWS signature (version 4) as the receiving side, from its documentation and with Node's own crypto, so that it shares
 * nothing with what signs. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Null when the signature is right, else what is wrong with it. */
export function signatureFault(
  request: SignedRequest,
  expected: {
    readonly accessKeyId: string;
    readonly secret: string;
    readonly region: string;
    readonly service: string;
  },
): string | null {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (parts === null) return 'The Authorization header is not one of SigV4.';
  const [, accessKeyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] = parts;
  if (accessKeyId !== expected.accessKeyId) return 'The access key is unknown.';
  if (region !== expected.region || service !== expected.service) return `The scope is ${region}/${service}.`;
  const time = String(request.headers['x-amz-date'] ?? '');
  if (!time.startsWith(day)) return 'The date differs from the scope.';
  const names = signedHeaders.split(';');
  if (!names.includes('host')) return 'The host is not signed.';

  const [path = '', query = ''] = request.path.split('?');
  const canonical = [
    request.method,
    path.split('/').map(encodeURIComponent).join('/'),
    query.split('&').toSorted().join('&'),
    ...names.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replaceAll(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders,
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, step) => createHmac('sha256', secret).update(step).digest(),
    `AWS4${expected.secret}`,
  );
  const right = createHmac('sha256', key).update(toSign).digest('hex');
  return right === signature ? null : 'The signature does not match.';
}
