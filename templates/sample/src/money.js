/** 320 as "3.20". */
export function money(cents) {
  return (cents / 100).toFixed(2);
}
