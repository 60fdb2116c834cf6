/** A straight line through figures that were taken one after the other. */
export interface Trend {
  mean: number;
  /** By how much the line rises from the first figure to the last. */
  growth: number;
  /** Standard deviation of the figures from the line. */
  noise: number;
}

/** The line with the least squares; of at least three figures. */
export function trendOf(figures: readonly number[]): Trend {
  const n = figures.length;
  const mean = figures.reduce((sum, y) => sum + y, 0) / n;
  const middle = (n - 1) / 2;
  let products = 0;
  let squares = 0;
  for (const [x, y] of figures.entries()) {
    products += (x - middle) * (y - mean);
    squares += (x - middle) ** 2;
  }
  const slope = products / squares;
  const errors = figures.reduce((sum, y, x) => sum + (y - mean - slope * (x - middle)) ** 2, 0);
  return { mean, growth: slope * (n - 1), noise: Math.sqrt(errors / (n - 2)) };
}
