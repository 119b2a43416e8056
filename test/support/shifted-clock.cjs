/** Preloaded: has the clock of the process, as JavaScript sees it, be wrong by CLOCK_SHIFT_MS. */
const shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;

globalThis.Date = /** @type {DateConstructor} */ (
  new Proxy(RealDate, {
    construct: (target, args) =>
      args.length === 0 ? new target(target.now() + shiftMs) : Reflect.construct(target, args),
    apply: () => new RealDate(RealDate.now() + shiftMs).toString(),
    get: (target, property) =>
      property === 'now' ? () => RealDate.now() + shiftMs : Reflect.get(target, property),
  })
);
