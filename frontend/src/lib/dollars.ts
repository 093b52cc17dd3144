/** US dollars as a person reads them; what is less than a cent keeps its first digits. */
export function exactDollars(value: number): string {
  if (value === 0) return "$0";
  if (value < 0.01) return `$${Number(value.toPrecision(2)).toFixed(value < 0.0001 ? 6 : 4)}`;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}
