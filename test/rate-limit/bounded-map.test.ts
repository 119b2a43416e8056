import { BoundedMap } from '../../src/rate-limit/bounded-map';

const seconds = () => Date.now() / 1_000;

describe('BoundedMap', () => {
  it('never holds more than its limit; the oldest goes', () => {
    const map = new BoundedMap(3);
    for (let id = 0; id < 1_000; id++) map.set(`ip:${id}`, { reset: seconds() + 60 });
    expect([...map.keys()]).toEqual(['ip:997', 'ip:998', 'ip:999']);
  });

  it('drops what has expired before it drops what has not', () => {
    const map = new BoundedMap(3);
    map.set('expired', { reset: seconds() - 1 });
    map.set('live', { reset: seconds() + 60 });
    map.set('new', { reset: seconds() + 60 });
    expect([...map.keys()]).toEqual(['live', 'new']);
  });

  it('counts a renewed window as new', () => {
    const map = new BoundedMap(2);
    for (const key of ['a', 'b', 'a', 'c']) map.set(key, { reset: seconds() + 60 });
    expect([...map.keys()]).toEqual(['a', 'c']);
  });
});
