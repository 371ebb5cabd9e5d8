/** A small hospital behind a stubbed `fetch`, for tests of screens. */
import type { Appointment, Clinic, Department, Doctor, Hospital, Person, Session } from '@shared/api'
import { lang, setLang } from '@shared/i18n/i18n'
import { createApp, type App } from 'vue'
import { createMemoryHistory, type Router } from 'vue-router'
import { vi } from 'vitest'
import PatientApp from '../App.vue'
import { forget } from '../lib/resource'
import { hospital, session } from '../lib/session'
import { makeRouter } from '../router'

const two = (zh: string, en: string) => ({ zh, en })
export const TODAY = '2026-11-23'

export const facts: Hospital = {
  id: 'hos_1',
  code: 'xl',
  name: two('杏林示范医院', 'Xinglin Model Hospital'),
  short_name: two('杏林医院', 'Xinglin Hospital'),
  phone: '0571-88001200',
  address: two('南山路 18 号', '18 Nanshan Road'),
  today: TODAY,
  now: `${TODAY}T07:40:00+08:00`,
  campuses: [
    { id: 'cam_1', name: two('东院区', 'East Campus'), address: two('南山路 18 号', '18 Nanshan Road') },
  ],
  booking: {
    horizon_days: 14,
    release_time: '07:00',
    cancel_until: '17:00',
    hold_minutes: 10,
    per_day: 2,
    per_doctor_session: 1,
    per_department_day: 1,
    per_week: 5,
    per_quarter: 20,
  },
  sign_in: { wechat: true, sms: true },
  languages: ['zh', 'en'],
  elder_hint: false,
  privacy_version: '1',
  consent_version: '1',
}

export const departments: Department[] = [
  department('dep_1', null, '内科', 'Internal medicine', 'nk'),
  department('dep_2', 'dep_1', '心血管内科', 'Cardiology', 'xxgnk'),
  department('dep_3', null, '眼科', 'Ophthalmology', 'yk'),
]

function department(id: string, parent: string | null, zh: string, en: string, initials: string): Department {
  return {
    id,
    parent_id: parent,
    name: two(zh, en),
    intro: two('', ''),
    initials,
    child_only: false,
    adult_only: false,
    doctor_count: 1,
    remaining: 9,
    next_date: TODAY,
  }
}

export function clinic(over: Partial<Clinic> = {}): Clinic {
  return {
    id: 'cli_1',
    doctor_id: 'doc_1',
    department_id: 'dep_2',
    department_name: two('心血管内科', 'Cardiology'),
    campus_id: 'cam_1',
    campus_name: two('东院区', 'East Campus'),
    date: '2026-11-26',
    half_day: 'am',
    kind: 'specialist',
    online: false,
    fee_fen: 5000,
    state: 'open',
    opens_at: '2026-11-12T07:00:00+08:00',
    closes_at: '2026-11-26T11:00:00+08:00',
    remaining: 5,
    slots: [
      { id: 'slt_1', start: '08:00', end: '08:30', capacity: 8, remaining: 2, state: 'open' },
      { id: 'slt_2', start: '08:30', end: '09:00', capacity: 8, remaining: 3, state: 'open' },
      { id: 'slt_3', start: '09:00', end: '09:30', capacity: 8, remaining: 0, state: 'full' },
    ],
    ...over,
  }
}

export const doctor: Doctor = {
  id: 'doc_1',
  name: two('李明', 'Li Ming'),
  initials: 'lm',
  title: two('主任医师', 'Chief physician'),
  title_code: 1,
  department_id: 'dep_2',
  department_name: two('心血管内科', 'Cardiology'),
  specialities: two('高血压', 'High blood pressure'),
  next_free: {
    clinic_id: 'cli_1',
    slot_id: 'slt_1',
    campus_id: 'cam_1',
    date: '2026-11-26',
    half_day: 'am',
    start: '08:00',
    end: '08:30',
    fee_fen: 5000,
    kind: 'specialist',
  },
  remaining: 5,
  days: [{ date: '2026-11-26', remaining: 5, state: 'open' }],
}

export const person: Person = {
  id: 'per_1',
  name: '王秀英',
  name_masked: '王*英',
  relation: 'self',
  is_default: true,
  document: { kind: 'resident_id', number_masked: '1100**********0000' },
  phone_masked: '138****0001',
  birth_date: '1956-02-03',
  sex: 'female',
  age: 70,
  minor: false,
  verified: true,
  bookable: true,
  bound_at: `${TODAY}T07:00:00+08:00`,
}

export const guest: Session = { signed_in: false, csrf: 'guest', lang: 'zh', wechat_available: false }
export const member: Session = {
  signed_in: true,
  csrf: 'member',
  lang: 'zh',
  wechat_available: false,
  elder: false,
  channel: 'sms',
  phone_masked: '138****0001',
  account_id: 'acc_1',
  persons: [person],
  default_person_id: 'per_1',
  reachable: true,
}

export const visit: Appointment = {
  id: 'apt_1',
  state: 'booked',
  person_id: 'per_1',
  person_name_masked: '王*英',
  number: 3,
  doctor_id: 'doc_1',
  doctor_name: doctor.name,
  title: doctor.title,
  department_id: 'dep_2',
  department_name: doctor.department_name,
  campus_name: two('东院区', 'East Campus'),
  campus_address: two('南山路 18 号', '18 Nanshan Road'),
  clinic_id: 'cli_1',
  slot_id: 'slt_1',
  kind: 'specialist',
  date: '2026-11-26',
  half_day: 'am',
  start: '08:00',
  end: '08:30',
  fee_fen: 5000,
  pay: 'counter',
  paid: false,
  booked_at: `${TODAY}T07:41:00+08:00`,
  cancel_until: '2026-11-25T17:00:00+08:00',
  can_cancel: true,
  can_move: true,
  check_in_code: 'XL1.apt_1',
  visit: 'regular',
  excused: false,
  notices: [
    { kind: 'appointment_confirmed', state: 'delivered', channel: 'template', at: `${TODAY}T07:41:05+08:00` },
  ],
}

/** What a request is answered with: a body, a status with a body, or a lost connection. */
export type Reply = unknown
export class Lost {}
export class Status {
  constructor(
    readonly status: number,
    readonly body: unknown = undefined,
  ) {}
}
export const problem = (status: number, code: string, extra: object = {}): Status =>
  new Status(status, {
    type: 'about:blank',
    status,
    code,
    title: code,
    detail: code,
    request_id: 'req_1',
    ...extra,
  })

export interface Seen {
  method: string
  path: string
  body: unknown
  headers: Headers
}

export interface World {
  seen: Seen[]
  /** Answers of this world by `METHOD /path`; a function decides at each request. */
  on: Record<string, Reply | ((seen: Seen) => Reply)>
  router: Router
  /** The requests of one kind. */
  asked: (what: string) => Seen[]
  close: () => void
}

/** Opens the app at an address, with the session given. */
export async function open(
  path: string,
  who: Session = guest,
  on: World['on'] = {},
  language: 'zh' | 'en' = 'zh',
): Promise<World> {
  forget()
  hospital.value = undefined
  session.value = undefined
  localStorage.clear()
  sessionStorage.clear()
  document.body.innerHTML = '<div id="app"></div>'
  const world: Omit<World, 'router' | 'close'> = {
    seen: [],
    on: {
      'GET /hospital': facts,
      'GET /session': who,
      'GET /departments': { items: departments },
      'GET /doctors': { items: [doctor], dates: doctor.days },
      'GET /doctors/doc_1': {
        ...doctor,
        introduction: two('简介', 'About'),
        campuses: [{ id: 'cam_1', name: two('东院区', 'East Campus') }],
        departments: [],
      },
      'GET /doctors/doc_1/clinics': { items: [clinic()] },
      'GET /departments/dep_2/clinics': { items: [] },
      'GET /search': { departments: [], doctors: [doctor] },
      'GET /appointments': { items: [visit] },
      'GET /appointments/again': { items: [{ doctor, person_id: 'per_1', last_date: '2026-11-02' }] },
      'GET /appointments/apt_1': visit,
      'GET /persons': { items: [person], limit: 5 },
      ...on,
    },
    asked: (what) => world.seen.filter((one) => `${one.method} ${one.path}` === what),
  }
  vi.stubGlobal('fetch', async (request: Request) => {
    const path = new URL(request.url).pathname.replace('/api/v1', '')
    const text = request.method === 'GET' ? '' : await request.text()
    const seen = {
      method: request.method,
      path,
      body: text ? JSON.parse(text) : undefined,
      headers: request.headers,
    }
    world.seen.push(seen)
    const planned = world.on[`${request.method} ${path}`]
    const reply: unknown =
      typeof planned === 'function' ? planned(seen) : (planned ?? problem(404, 'not_found'))
    if (reply instanceof Lost) throw new TypeError('Failed to fetch')
    const { status, body } =
      reply instanceof Status ? reply : { status: request.method === 'POST' ? 201 : 200, body: reply }
    return new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/json' },
    })
  })
  vi.stubGlobal('EventSource', undefined)
  lang.value = 'zh'
  await setLang(language)
  const router = makeRouter(createMemoryHistory())
  void router.push(path)
  await router.isReady()
  const app: App = createApp(PatientApp).use(router)
  app.mount('#app')
  return { ...world, router, close: () => app.unmount() }
}
