/** The hospital's names, for the head of every screen. */
import type { Hospital } from '@shared/api'
import { shallowRef } from 'vue'
import { ask } from './ask'

export const hospital = shallowRef<Hospital>()

/** Brings them; tries again until they are there. */
export async function loadHospital(): Promise<void> {
  try {
    hospital.value = await ask<Hospital>('GET', '/hospital')
  } catch {
    setTimeout(() => void loadHospital(), 5_000)
  }
}
