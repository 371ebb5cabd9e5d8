import type { Plugin } from 'vite'
export function inlineHashes(html: string): { script: string[]; style: string[] }
export function compileAhead(name: string): Plugin
export function cspHashes(): Plugin
export function inlineStyle(): Plugin
export function routeParts(): Plugin
