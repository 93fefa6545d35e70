/** What a run did, in words: emails are sent, providers are checked and synced. Everything that shows a run says it so. Pure. */
import { formatCount, plural } from './format.ts';

export interface RunCounts {
  readonly processed: number;
  readonly successful: number;
  readonly failed: number;
}

/** Empty where nothing was processed. */
export function runWords(worker: string, { processed, successful, failed }: RunCounts): string {
  if (processed === 0) return '';
  switch (worker) {
    case 'health-monitor':
      return `${plural(processed, 'provider')} checked${failed > 0 ? `, ${formatCount(failed)} not healthy` : ''}`;
    case 'quota-sync':
      return `${plural(processed, 'provider')} synced${failed > 0 ? `, ${formatCount(failed)} failed` : ''}`;
    case 'queue-processor':
      return `${formatCount(successful)} sent${failed > 0 ? `, ${formatCount(failed)} failed` : ''}`;
    default:
      return `${formatCount(processed)} processed${failed > 0 ? `, ${formatCount(failed)} failed` : ''}`;
  }
}

export interface LiveCounts extends RunCounts {
  /** Taken on so far, and of those the ones under way at the moment. */
  readonly claimed?: number;
  readonly inFlight?: number;
}

/** How far a run is: `37/100 sent, 1 failed, 9 in flight`. Empty before anything is known. */
export function progressWords(worker: string, counts: LiveCounts): string {
  const { successful, failed, claimed, inFlight } = counts;
  if (worker !== 'queue-processor' || claimed === undefined) return runWords(worker, counts);
  return [
    `${formatCount(successful)}/${formatCount(claimed)} sent`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(inFlight ? [`${formatCount(inFlight)} in flight`] : []),
  ].join(', ');
}
