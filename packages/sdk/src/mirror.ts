/** A live view of an object in which some values are replaced: what is added to the object later is seen through it too. */

export interface MirrorView {
  /** What a reader gets in the place of `value`. */
  see(key: PropertyKey, value: unknown): unknown;
  /** Keys that a reader does not see at all. */
  hides?(key: PropertyKey, value: unknown): boolean;
  /** Properties that the source may lack and a reader sees nevertheless. */
  readonly adds?: Readonly<Record<string, unknown>>;
  /** False: only own properties exist, so that `constructor` or `__proto__` name nothing. */
  readonly inherited: boolean;
}

/**
 * Writes go to `source`, reads come from it at the moment of reading. The proxy's own target is an empty object: a frozen
 * source or property would otherwise force the original value through.
 */
export function mirror<Source extends object>(source: Source, view: MirrorView): Source {
  const { adds = {} } = view;
  const read = (key: PropertyKey): unknown => Reflect.get(source, key, source);
  const exists = (key: PropertyKey): boolean =>
    view.inherited ? Reflect.has(source, key) : Object.hasOwn(source, key);
  const visible = (key: PropertyKey): boolean => exists(key) && !view.hides?.(key, read(key));
  const added = (key: PropertyKey): boolean => !exists(key) && Object.hasOwn(adds, key);
  const value = (key: PropertyKey): unknown => Reflect.get(adds, key);
  const handler: ProxyHandler<object> = {
    get: (_, key) => (visible(key) ? view.see(key, read(key)) : added(key) ? value(key) : undefined),
    has: (_, key) => visible(key) || added(key),
    ownKeys: () => [...Reflect.ownKeys(source).filter(visible), ...Object.keys(adds).filter(added)],
    getOwnPropertyDescriptor: (_, key) => {
      if (added(key)) return { value: value(key), enumerable: true, writable: true, configurable: true };
      const property = Reflect.getOwnPropertyDescriptor(source, key);
      if (property === undefined || !visible(key)) return undefined;
      const enumerable = property.enumerable ?? false;
      return { value: view.see(key, read(key)), enumerable, writable: true, configurable: true };
    },
    set: (_, key, value) => Reflect.set(source, key, value, source),
    defineProperty: (_, key, property) => Reflect.defineProperty(source, key, { ...property, configurable: true }),
    deleteProperty: (_, key) => Reflect.deleteProperty(source, key),
    getPrototypeOf: () => Reflect.getPrototypeOf(source),
    setPrototypeOf: () => false,
    preventExtensions: () => false,
  };
  return new Proxy<object>({}, handler) as Source;
}
