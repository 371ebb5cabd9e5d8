import type { Plugin } from 'vite'
export function inlineHashes(html: string): { script: string[]; style: string[] }
export function cspHashes(): Plugin
export function routeParts(): Plugin
