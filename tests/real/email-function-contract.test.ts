import { describe } from 'vitest';
import { PROVIDERS } from '../../src/domain/email.ts';
import { startDeployment } from '../support/deployed-function.ts';
import { describeEmailFunction } from '../support/email-function-contract.ts';
import { isPostgresMissing } from '../support/postgres.ts';

const REFUSAL = {
  status: 422,
  headers: { 'x-amzn-errortype': 'BadRequestException' },
  body: { message: 'No such user.' },
};

describe.skipIf(isPostgresMissing())('the contract of the email function', () => {
  describeEmailFunction('deployed, with Postgres and the four providers’ stubs', async () => {
    const deployment = await startDeployment();
    return {
      key: deployment.rest.key,
      fetch: deployment.instance(),
      delivered: () => PROVIDERS.flatMap((name) => deployment.stubs[name].delivered.map(({ to }) => to)),
      refuseNext: (provider) => {
        deployment.stubs[provider].answerNext(REFUSAL);
        return 'ana@example.org';
      },
      stop: deployment.stop,
    };
  });
});
