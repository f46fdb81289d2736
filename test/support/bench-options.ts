/** What a bench is told on its command line: `name=value` of the names it knows, and a bare number for its first. */

/** The options with their defaults filled in; throws on a name that is not among them. `bare` is what a number without a name means. */
export function benchOptions<T extends Record<string, string>>(defaults: T, bare: keyof T & string, argv = process.argv.slice(2)): T {
  const given = argv.map((argument) => (argument.includes('=') ? argument.split('=', 2) : [bare, argument]));
  const unknown = given.filter(([name = '']) => !(name in defaults));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.map(([name]) => name).join(', ')}; there are ${Object.keys(defaults).join(', ')}`);
  return { ...defaults, ...Object.fromEntries(given) };
}
