import { drillOf } from '../../../tools/chaos/drill';

it.each(['MongoDB was put back', 'Temporal was put back'])(
  'the page says what to do when %s, from stopping everything to starting the API',
  async (heading) => {
    const steps = await drillOf(heading);
    const acts = steps.flatMap(({ act }) => act ?? []);
    expect(acts[0]).toBe('Stop the API and the workers');
    expect(acts[1]).toMatch(/^Put the backup of (MongoDB|Temporal) back/);
    expect(acts.slice(2)).toEqual(['Start the workers', 'Start the API']);
    const scripts = steps.flatMap(({ script }) => script ?? []);
    const isAudit = (script: string) => script.includes('npm run -s audit:orders -- --at-rest');
    expect(scripts.filter(isAudit).length).toBeGreaterThanOrEqual(2);
    // What is set right is known before.
    expect(scripts.find(isAudit)).not.toContain('--repair');
    expect(steps.at(-1)).toEqual({ act: 'Start the API' });
  },
);

it('says which heading the page lacks', async () => {
  await expect(drillOf('Everything was lost')).rejects.toThrow('has no heading Everything was lost');
});
