declare const __BUILD__: string

/** The name of this build; `dev` while the pages are worked on. */
export const build: string = typeof __BUILD__ === 'string' ? __BUILD__ : 'dev'
