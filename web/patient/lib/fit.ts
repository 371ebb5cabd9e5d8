/**
 * Very large text on a small screen (WeChat's own text size, elder mode and the browser's zoom multiply): what a media query
 * can't see, since it doesn't know the root's real size. Marks the page `data-tight` when a line holds few characters or
 * the screen few lines; then margins shrink and nothing is stuck to the screen's edge.
 */
const NARROW_REM = 16
const LOW_REM = 30

export function fit(root: HTMLElement = document.documentElement): void {
  const rem = parseFloat(getComputedStyle(root).fontSize) || 16
  root.toggleAttribute('data-tight', innerWidth / rem < NARROW_REM || innerHeight / rem < LOW_REM)
}

/** Keeps the mark true while the window or the text size changes. */
export function keepFitting(): void {
  fit()
  addEventListener('resize', () => fit())
  // The text size changes without any event; the page's own size then changes too.
  if (typeof ResizeObserver !== 'undefined') new ResizeObserver(() => fit()).observe(document.body)
}
