/** A number that may enter a launch description. */
export function integer(value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(`${value} is not an integer from ${min} to ${max}.`);
  return value;
}
