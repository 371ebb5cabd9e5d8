/** Questions to the person that a page or the menu waits for: what to scan, which pictures. One at a time. */
import { shallowRef } from 'vue'
import type { Paid, Sheet } from './pay'

export type Question =
  | { kind: 'scan'; answer: (text: string | undefined) => void }
  | { kind: 'images'; count: number; answer: (files: File[]) => void }
  | { kind: 'place'; name: string; address: string; answer: () => void }
  | { kind: 'preview'; url: string; answer: () => void }
  | { kind: 'pay'; sheet: Sheet; answer: (outcome: Paid) => void }

/** The question on the screen. */
export const question = shallowRef<Question>()

function ask<T>(make: (answer: (value: T) => void) => Question): Promise<T> {
  return new Promise((resolve) => {
    question.value = make((value) => {
      question.value = undefined
      resolve(value)
    })
  })
}

/** Lets the person choose a code; `undefined` when they give up. */
export const scanning = (): Promise<string | undefined> => ask((answer) => ({ kind: 'scan', answer }))

export const choosing = (count: number): Promise<File[]> =>
  ask((answer) => ({ kind: 'images', count, answer }))

export const placing = (name: string, address: string): Promise<void> =>
  ask<void>((answer) => ({ kind: 'place', name, address, answer: () => answer() }))

export const previewing = (url: string): Promise<void> =>
  ask<void>((answer) => ({ kind: 'preview', url, answer: () => answer() }))

export const paying = (sheet: Sheet): Promise<Paid> => ask((answer) => ({ kind: 'pay', sheet, answer }))
