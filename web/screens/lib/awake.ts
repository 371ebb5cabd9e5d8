interface Lock {
  addEventListener: (kind: 'release', then: () => void) => void
}

/** Keeps the display on, where the browser can; asked for again when it was taken away. */
export function stayAwake(): void {
  const wake = (navigator as { wakeLock?: { request: (kind: 'screen') => Promise<Lock> } }).wakeLock
  if (!wake) return
  const hold = async (): Promise<void> => {
    if (document.hidden) return
    try {
      const lock = await wake.request('screen')
      lock.addEventListener('release', () => setTimeout(() => void hold(), 1_000))
    } catch {
      // Not allowed here: the television's own setting keeps it on.
    }
  }
  document.addEventListener('visibilitychange', () => void hold())
  void hold()
}
