/**
 * What an area of the console brings: its pages and where they stand in the menu. Each folder in `pages/` has a `register.ts`
 * with one of these as its default export; nothing else needs to know of a new one.
 */
import type { Component } from 'vue'

export interface PageOf {
  /** Under `/console`; ids as `:id`. */
  path: string
  title: () => string
  component: () => Promise<{ default: Component }>
  /** The permission's name, as `docs/permissions.md` has it; left out for all staff. */
  permission?: string
  /** Stands in the menu. */
  menu?: boolean
}

export interface Area {
  /** The folder's name. */
  name: string
  title: () => string
  /** Smaller ones stand higher. Daily work 10–49, the hospital's plans 50–79, administration 80–99. */
  order: number
  pages: PageOf[]
}

const found = import.meta.glob<{ default: Area }>('../pages/*/register.ts', { eager: true })

export const areas: Area[] = Object.values(found)
  .map((module) => module.default)
  .sort((a, b) => a.order - b.order)
